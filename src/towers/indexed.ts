import { constantOf, type Graph, type ModelDefinition, type Node, type Value } from '../graph/index.ts'
import { DOT_PRODUCT, distanceOf } from '../ops/scann/distances.ts'
import { isNumeric, type Tensor, type TensorOf, tensor, unpackPanels } from '../tensor/index.ts'

/** The query of a search over candidates that a graph holds. */
export interface Indexed {
  readonly query: Value
  /** How many candidates there are. */
  readonly rows: number
  /** How wide they are; null where only hashes of them are kept. */
  readonly width: number | null
  readonly metric: 'dot' | 'euclidean'
  /** The op that searches, and which of its outputs are the places of what it found. */
  readonly search: Node
  readonly places: number
  /** The candidates, and whether they lie in columns; null where they are not kept as floats. */
  readonly candidates: { readonly values: TensorOf<'float32'>; readonly inColumns: boolean } | null
  /** What is to be said of the search, in words. */
  readonly remark: string
}

/** The query whose search `output` are the scores of, by one of the layers of tfrs.layers.factorized_top_k. */
export function indexedQuery(output: Value): Indexed | null {
  let at = output
  while (PASSES.has(at.node.op)) at = at.node.inputs[0]
  return at.node.op === 'TopKV2' ? bruteForce(at) : SCANN.has(at.node.op) ? scann(at) : null
}

/** Ops that show the scores in another shape, or only those of the first query. */
const PASSES = new Set(['Reshape', 'Squeeze', 'Identity', 'StridedSlice'])

/** BruteForce: TopKV2(query · candidatesᵀ). */
function bruteForce({ node, index }: Value): Indexed | null {
  if (index !== 0) return null
  const product = node.inputs[0].node
  const [query, matrix] = product.inputs
  const held = matrix === undefined ? null : heldBy(product, constantOf(matrix))
  if (held === null || constantOf(query) !== null) return null
  const [m, n] = held.values.shape
  const [rows, width] = held.inColumns ? [n, m] : [m, n]
  return { query, rows, width, metric: 'dot', search: node, places: 1, candidates: held, remark: '' }
}

/** The matrix that a product multiplies by, as MatMul has it, or as a dense layer without more does. */
function heldBy({ op, attrs, inputs }: Node, matrix: Tensor | null): Indexed['candidates'] {
  if (matrix?.dtype !== 'float32') return null
  if (op === 'MatMul')
    return attrs.boolean('transpose_a', false)
      ? null
      : { values: matrix, inColumns: !attrs.boolean('transpose_b', false) }
  if (op !== 'twotower>Dense' || inputs.length > 2 || attrs.has('activation')) return null
  const [k, n] = [attrs.number('k'), attrs.number('n')]
  return { values: tensor('float32', [k, n], unpackPanels(matrix.data, k, n)), inColumns: true }
}

const SCANN = new Set(['Scann>ScannSearch', 'Scann>ScannSearchBatched'])

/** ScaNN: a search in an index that is made of constants, as the inputs of TensorsToScann name them. */
function scann({ node, index }: Value): Indexed | null {
  const [searcher, query] = node.inputs
  if (index !== 1 || searcher.node.op !== 'Scann>TensorsToScann' || constantOf(query) !== null) return null
  const [vectors, config, , tokens, , hashes] = searcher.node.inputs.map(constantOf)
  if (!vectors || config?.dtype !== 'string') return null
  const metric = distanceOf(config.data.at(0)) === DOT_PRODUCT ? 'dot' : 'euclidean'
  const [rows, width] = vectors.shape
  const found = { search: node, places: 0 }
  if (width === undefined)
    return {
      query,
      rows: tokens?.shape[0] ?? hashes?.shape[0] ?? 0,
      width: null,
      metric,
      ...found,
      candidates: null,
      remark: "; ScaNN's index keeps only hashes of them, which are searched as ScaNN does",
    }
  return {
    query,
    rows,
    width,
    metric,
    ...found,
    candidates: vectors.dtype === 'float32' ? { values: vectors, inColumns: false } : null,
    remark: '; ScaNN compares some of them, and here the same are compared',
  }
}

/** The candidates that an export holds to be searched. */
export interface HeldCandidates {
  readonly signature: string
  /** What each is called: its identifier, or where the export has none its place. */
  readonly ids: readonly string[]
  /** `float32[ids.length, width]` */
  readonly vectors: Float32Array
  readonly width: number
  readonly metric: 'dot' | 'euclidean'
}

/** What the first signature that searches candidates holds of them; null where none does, or only hashes are kept. */
export function heldCandidates({ signatures }: ModelDefinition): HeldCandidates | null {
  for (const { name, graph } of signatures) {
    for (const output of graph.outputs) {
      const indexed = indexedQuery(output)
      if (indexed === null || indexed.candidates === null || indexed.width === null) continue
      const { rows, width, metric } = indexed
      const vectors = inRows(indexed.candidates.values.data, rows, width, indexed.candidates.inColumns)
      return { signature: name, ids: identifiers(graph, indexed), vectors, width, metric }
    }
  }
  return null
}

function inRows(values: Float32Array, rows: number, width: number, inColumns: boolean): Float32Array {
  if (!inColumns) return values.slice(0, rows * width)
  return Float32Array.from(values, (_, at) => values[(at % width) * rows + Math.floor(at / width)])
}

/** The vector of constants out of which an output takes what the search found. */
function identifiers(graph: Graph, { search, places, rows }: Indexed): string[] {
  for (const output of graph.outputs) {
    let at = output
    while (PASSES.has(at.node.op)) at = at.node.inputs[0]
    if (!GATHERS.has(at.node.op)) continue
    const held = constantOf(at.node.inputs[0])
    let found = at.node.inputs[1]
    while (PASSES.has(found.node.op) || found.node.op === 'Cast') found = found.node.inputs[0]
    if (held === null || found.node !== search || found.index !== places || held.shape[0] !== rows) continue
    if (held.dtype === 'string') return Array.from({ length: rows }, (_, row) => held.data.text(row))
    if (held.shape.length === 1 && isNumeric(held)) return Array.from(held.data, String)
  }
  return Array.from({ length: rows }, (_, row) => String(row))
}

const GATHERS = new Set(['Gather', 'GatherV2', 'ResourceGather'])
