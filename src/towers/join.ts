import { constantOf, type Graph, type Metric, type Node, type Similarity, type Value } from '../graph/index.ts'
import { isFloat, isNumeric, sizeOf, type TypedArray } from '../tensor/index.ts'
import { dependence } from './dependence.ts'

/** Where the two towers of a graph meet. */
export interface Join {
  readonly left: Value
  readonly right: Value
  readonly similarity: Similarity
  /** In words: the ops between the towers and the output. */
  readonly path: readonly string[]
}

/**
 * Follows `output` back to the op that joins two values of disjoint inputs, and reads on the way what is done to the
 * joined value: scale, bias, logistic.
 * @returns null where no similarity separates the inputs, for example where features are concatenated
 */
export function findJoin(graph: Graph, output: Value): Join | null {
  const sources = dependence(graph)
  const inputsOf = (value: Value) => sources.get(value.node) ?? new Set<number>()
  const path: string[] = []
  let [scale, bias, sigmoid] = [1, 0, false]
  let at = output
  for (;;) {
    const { node } = at
    const joined = joinAt(node, inputsOf)
    if (joined !== null) {
      path.push(joined.name)
      return {
        left: joined.left,
        right: joined.right,
        similarity: { metric: joined.metric, scale, bias, sigmoid },
        path,
      }
    }
    const step = peel(node)
    if (step === null || (sigmoid && step.sigmoid)) return null
    // Read from the output inwards: what comes next is applied before what was read.
    bias += scale * step.bias
    scale *= step.scale
    if (step.sigmoid) {
      if (scale !== 1 || bias !== 0) return null
      sigmoid = true
    }
    path.push(node.op)
    at = step.inner
  }
}

interface Step {
  readonly inner: Value
  readonly scale: number
  readonly bias: number
  readonly sigmoid: boolean
}

/** Ops between the join and the output that change no value. */
const PASSES = new Set(['Reshape', 'Squeeze', 'ExpandDims', 'Identity', 'Cast'])

/** `node` as scale · inner + bias, or a logistic of it; null where it is neither. */
function peel(node: Node): Step | null {
  const [a, b] = node.inputs
  const plain = { scale: 1, bias: 0, sigmoid: false }
  if (PASSES.has(node.op)) return { inner: a, ...plain }
  if (node.op === 'Sigmoid') return { inner: a, ...plain, sigmoid: true }
  if (node.op === 'Neg') return { inner: a, ...plain, scale: -1 }
  if (node.inputs.length !== 2) return null
  const [left, right] = [numberOf(a), numberOf(b)]
  switch (node.op) {
    case 'Mul':
      if (right !== null) return { inner: a, ...plain, scale: right }
      return left === null ? null : { inner: b, ...plain, scale: left }
    // A 1×1 matrix: Keras's Dense(1) on the similarity.
    case 'MatMul':
      return right === null ? null : { inner: a, ...plain, scale: right }
    case 'RealDiv':
    case 'Div':
      return right === null ? null : { inner: a, ...plain, scale: 1 / right }
    case 'Add':
    case 'AddV2':
    case 'BiasAdd':
      if (right !== null) return { inner: a, ...plain, bias: right }
      return left === null ? null : { inner: b, ...plain, bias: left }
    case 'Sub':
      if (right !== null) return { inner: a, ...plain, bias: -right }
      return left === null ? null : { inner: b, scale: -1, bias: left, sigmoid: false }
    default:
      return null
  }
}

/** The one float that `value` is a constant of, or null. */
function numberOf(value: Value): number | null {
  const held = constantOf(value)
  if (held === null || !isNumeric(held) || !isFloat(held.dtype) || sizeOf(held.shape) !== 1) return null
  return Number((held.data as TypedArray)[0])
}

type InputsOf = (value: Value) => ReadonlySet<number>
interface Joined {
  readonly left: Value
  readonly right: Value
  readonly metric: Metric
  readonly name: string
}

const PRODUCTS = new Set(['MatMul', 'BatchMatMul', 'BatchMatMulV2', 'BatchMatMulV3', 'Einsum'])

/** The two sides where `node` is the last op of a similarity of values that depend on different inputs. */
function joinAt(node: Node, inputsOf: InputsOf): Joined | null {
  if (PRODUCTS.has(node.op)) return sides(node.inputs, inputsOf, 'dot', 'a product of all pairs')
  if (node.op === 'Sum') {
    const inner = node.inputs[0].node
    if (inner.op === 'Mul') return sides(inner.inputs, inputsOf, 'dot', 'the sum of products')
  }
  if (node.op === 'Sqrt') {
    const sum = through(node.inputs[0].node, new Set(['Maximum', 'AddV2', 'Add']))
    const square = sum.op === 'Sum' ? sum.inputs[0].node : null
    if (square?.op === 'Square' && square.inputs[0].node.op === 'Sub') {
      return sides(square.inputs[0].node.inputs, inputsOf, 'euclidean', 'the root of summed squared differences')
    }
    if (square?.op === 'SquaredDifference')
      return sides(square.inputs, inputsOf, 'euclidean', 'the root of summed squared differences')
    if (square?.op === 'Mul' && square.inputs[0].node === square.inputs[1].node && square.inputs[0].node.op === 'Sub') {
      return sides(square.inputs[0].node.inputs, inputsOf, 'euclidean', 'the root of summed squared differences')
    }
  }
  if (node.op === 'EuclideanNorm' && node.inputs[0].node.op === 'Sub') {
    return sides(node.inputs[0].node.inputs, inputsOf, 'euclidean', 'the norm of the difference')
  }
  return null
}

/** `node`, or what its first input is where it is one of the guards `ops` with a constant. */
const through = (node: Node, ops: ReadonlySet<string>): Node =>
  ops.has(node.op) && node.inputs.some((value) => constantOf(value) !== null) ? node.inputs[0].node : node

function sides(inputs: readonly Value[], inputsOf: InputsOf, metric: Metric, name: string): Joined | null {
  if (inputs.length !== 2) return null
  const [left, right] = inputs.map(unwrapped)
  const [a, b] = [inputsOf(left), inputsOf(right)]
  if (a.size === 0 || b.size === 0 || [...a].some((item) => b.has(item))) return null
  // The dot product of two normalised vectors is their cosine.
  const cosine = metric === 'dot' && isNormalized(left) && isNormalized(right)
  return { left, right, metric: cosine ? 'cosine' : metric, name: cosine ? `${name} of normalised vectors` : name }
}

/** A tower's embedding before the reshaping that a batched product wants. */
function unwrapped(value: Value): Value {
  let at = value
  while (['ExpandDims', 'Transpose', 'Identity'].includes(at.node.op)) at = at.node.inputs[0]
  return at
}

/** True where `value` is tf.math.l2_normalize of something: x · rsqrt(max(Σx², ε)). */
export function isNormalized(value: Value): boolean {
  const { node } = unwrapped(value)
  if (node.op === 'Mul') {
    const [x, root] = node.inputs[1].node.op === 'Rsqrt' ? node.inputs : [node.inputs[1], node.inputs[0]]
    if (root.node.op !== 'Rsqrt') return false
    return isSquaredNorm(root.node.inputs[0].node, x)
  }
  if (node.op === 'RealDiv' || node.op === 'DivNoNan') {
    const [x, norm] = node.inputs
    const root = through(norm.node, new Set(['Maximum', 'AddV2', 'Add']))
    return root.op === 'Sqrt'
      ? isSquaredNorm(root.inputs[0].node, x)
      : root.op === 'EuclideanNorm' && root.inputs[0].node === x.node
  }
  return false
}

function isSquaredNorm(node: Node, x: Value): boolean {
  const sum = through(node, new Set(['Maximum', 'AddV2', 'Add']))
  if (sum.op !== 'Sum') return false
  const square = sum.inputs[0].node
  return (square.op === 'Square' || square.op === 'Mul') && square.inputs.every((input) => input.node === x.node)
}
