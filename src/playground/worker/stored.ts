import { constantOf, type Graph, type Node, type Signature } from '../../graph/index.ts'
import { sizeOf, type Tensor, type TypedArray, unpackPanels } from '../../tensor/index.ts'

/** Candidates that an export carries itself. */
export interface Stored {
  readonly ids: readonly string[]
  /** `float32[ids.length, width]` */
  readonly vectors: Float32Array
}

/**
 * The candidates that a search of tfrs.layers.factorized_top_k holds, BruteForce's or ScaNN's, with their identifiers; null
 * where no signature searches vectors of `width` numbers.
 */
export function storedCandidates(signatures: readonly Signature[], width: number): Stored | null {
  for (const { graph } of signatures) {
    for (const node of graph.nodes) {
      const vectors = candidatesOf(node, width)
      if (vectors !== null) return { vectors, ids: idsOf(graph, node, vectors.length / width) }
    }
  }
  return null
}

/** What a node that finds the best compares with. */
function candidatesOf(node: Node, width: number): Float32Array | null {
  if (node.op === 'TopKV2') return ofProduct(node.inputs[0].node, width)
  if (!/^Scann>ScannSearch/.test(node.op)) return null
  const [vectors] = node.inputs[0].node.inputs.map(constantOf)
  return vectors?.dtype === 'float32' && vectors.shape[1] === width ? vectors.data : null
}

/** The constant side of query · candidatesᵀ, row by row. */
function ofProduct({ op, attrs, inputs }: Node, width: number): Float32Array | null {
  const held = inputs.length > 1 ? constantOf(inputs[1]) : null
  if (held?.dtype !== 'float32') return null
  if (op === 'twotower>Dense') {
    const [k, n] = [attrs.number('k'), attrs.number('n')]
    return k === width ? transposed(unpackPanels(held.data, k, n), k, n) : null
  }
  if (op !== 'MatMul') return null
  const [m, n] = held.shape
  if (attrs.boolean('transpose_b', false)) return n === width ? held.data : null
  return m === width ? transposed(held.data, m, n) : null
}

function transposed(data: Float32Array, m: number, n: number): Float32Array {
  const turned = new Float32Array(m * n)
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) turned[j * m + i] = data[i * n + j]
  return turned
}

/** The identifiers that are gathered by what `found` found; their places where there are none. */
function idsOf({ nodes }: Graph, found: Node, rows: number): string[] {
  for (const { op, inputs } of nodes) {
    if (!/^(Gather|GatherV2|ResourceGather)$/.test(op) || !comesFrom(inputs[1].node, found)) continue
    const held = constantOf(inputs[0])
    if (held !== null && held.shape.length === 1 && sizeOf(held.shape) === rows) return texts(held)
  }
  return Array.from({ length: rows }, (_, row) => String(row))
}

function comesFrom(node: Node, found: Node): boolean {
  let at = node
  while (at !== found && at.inputs.length > 0) at = at.inputs[0].node
  return at === found
}

const texts = (held: Tensor): string[] =>
  held.dtype === 'string'
    ? Array.from({ length: held.data.length }, (_, i) => held.data.text(i))
    : Array.from(held.data as TypedArray as ArrayLike<number | bigint>, String)
