import { constant, constantOf, type Graph, type Node, type Value } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { type Tensor, type TensorOf, tensor, unpackPanels } from '../tensor/index.ts'
import { packedInt8Shape, packInt8, toInt8 } from '../tensor/panelsint8.ts'
import { DENSE } from './dense.ts'
import { type Readers, readers } from './readers.ts'

/** The op's name: no op of TensorFlow's. Its semantics are in ops/fused.ts. */
const DENSE_INT8 = 'twotower>DenseInt8'

/** The inputs and columns that a layer must have. */
interface Least {
  readonly k: number
  readonly n: number
}

/**
 * A layer of fewer inputs or columns takes longer in bytes than in floats, as its rows must be made bytes and floats again.
 * f32's time over int8's, one row and 64, least of both builds on Node 20 and 24: 64×32 0.74, 64×64 0.95, 128×32 0.93,
 * 128×64 1.1, 128×128 1.2, 128×256 1.2.
 */
const LEAST: Least = { k: 64, n: 64 }
/** Past this many inputs a sum might leave 32 bits. */
const MOST_K = 131_072

/**
 * Dense layers with their weights in bytes, for a model that is converted with dtype int8. What the model computes
 * changes by the rounding. Scores against all candidates, a product that goes straight to TopK, stay floats: near ties
 * would change places.
 * @param least what layers must have to be taken
 */
export function denseToInt8(graph: Graph, least: Least = LEAST): Graph {
  const uses = readers(graph)
  const made = new Map<Tensor, readonly Value[]>()
  return rewrite(graph, (node, { old, emit }) => {
    const panels = node.op === DENSE ? constantOf(node.inputs[1]) : null
    if (panels?.dtype !== 'float32' || !isWorthwhile(old, panels, uses, least)) return null
    const [k, n] = [node.attrs.number('k'), node.attrs.number('n')]
    let weights = made.get(panels)
    if (weights === undefined) {
      const name = node.inputs[1].node.name.replace(/ \(packed\)$/, '')
      const { packed, factors, scales, totals } = bytesOf(panels, k, n)
      const parts = { int8: packed, factors, scales, totals }
      weights = Object.entries(parts).map(([part, t]) => ({ node: emit(constant(`${name} (${part})`, t)), index: 0 }))
      made.set(panels, weights)
    }
    const inputs = [node.inputs[0], ...weights, ...node.inputs.slice(2)]
    return [{ node: emit({ ...node, op: DENSE_INT8, inputs }), index: 0 }]
  })
}

function isWorthwhile(layer: Node, panels: TensorOf<'float32'>, uses: Readers, least: Least): boolean {
  const [k, n] = [layer.attrs.number('k'), layer.attrs.number('n')]
  if (k < least.k || k > MOST_K || n < least.n || !panels.data.every(Number.isFinite)) return false
  return !/^TopK/.test(uses.only(layer)?.op ?? '')
}

interface Bytes {
  readonly packed: Tensor
  readonly factors: Tensor
  readonly scales: Tensor
  readonly totals: Tensor
}

/** Weights that several graphs share are made bytes once. */
const MADE = new WeakMap<Tensor, Bytes>()

function bytesOf(panels: TensorOf<'float32'>, k: number, n: number): Bytes {
  let bytes = MADE.get(panels)
  if (bytes === undefined) {
    const { weights, factors, scales } = toInt8(unpackPanels(panels.data, k, n), k, n)
    const totals = new Int32Array(n)
    weights.forEach((weight, i) => {
      totals[i % n] += weight
    })
    bytes = {
      packed: tensor('int8', packedInt8Shape(k, n), packInt8(weights, k, n)),
      factors: tensor('float32', [k], factors),
      scales: tensor('float32', [n], scales),
      totals: tensor('int32', [n], totals),
    }
    MADE.set(panels, bytes)
  }
  return bytes
}
