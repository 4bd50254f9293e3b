import { Attrs, constantOf, type Metric, type Node, type Value } from '../graph/index.ts'
import { isNumeric, type TypedArray } from '../tensor/index.ts'
import { isNorm, isNormalized, isOfRows, reducedAxis, unguarded } from './norms.ts'

/** The op at which values of disjoint inputs become one number a pair. */
export interface Meeting {
  /** The embeddings, `[rows, width]`. */
  readonly left: Value
  readonly right: Value
  /** Null where the op compares them in a way that no metric says. */
  readonly metric: Metric | null
  readonly words: string
  /** Every query meets every candidate; else row meets row. */
  readonly pairs: boolean
  /** Embeddings come as `[rows, 1, width]`: only a score of one number a row proves that it is 1. */
  readonly deep: boolean
}

type InputsOf = (value: Value) => ReadonlySet<number>

/**
 * The meeting of which `node` is the last op, or null. What is contracted must be the embeddings' width: a sum over the
 * batch and an outer product are no similarities.
 * @param rank how many dimensions the output of `node` has; null where that is not known
 */
export function meetingAt(node: Node, inputsOf: InputsOf, rank: number | null): Meeting | null {
  const found = product(node) ?? reduction(node, rank) ?? root(node, rank) ?? quotient(node, rank)
  if (found === null) return null
  const [a, b] = [inputsOf(found.left), inputsOf(found.right)]
  if (a.size === 0 || b.size === 0 || [...a].some((item) => b.has(item))) return null
  // The dot product of two normalised vectors is their cosine.
  const cosine = found.metric === 'dot' && isNormalized(found.left) && isNormalized(found.right)
  const named = cosine ? { ...found, metric: 'cosine' as const, words: `${found.words} of normalised vectors` } : found
  return found.deep ? { ...named, left: rowsOf(found.left), right: rowsOf(found.right) } : named
}

const SUM_OF_PRODUCTS = 'the sum of products'
const ALL_PAIRS = 'a product of all pairs'

/** MatMul, BatchMatMul and Einsum. */
function product(node: Node): Meeting | null {
  const [a, b] = node.inputs
  const pair = { left: a, right: b, metric: 'dot' as const, words: ALL_PAIRS, pairs: true, deep: false }
  if (node.op === 'MatMul') {
    const left = node.attrs.boolean('transpose_a', false) ? transposed(a) : a
    const right = node.attrs.boolean('transpose_b', false) ? b : transposed(b)
    return left === null || right === null ? null : { ...pair, left, right }
  }
  if (node.op === 'Einsum') {
    const match = /^(\w)(\w),(\w)(\w)->(\w{1,2})$/.exec(node.attrs.string('equation'))
    if (match === null) return null
    const [, i, d, j, e, out] = match
    if (d !== e || i === d || j === d || ![i === j ? i : i + j, i === j ? i : j + i].includes(out)) return null
    return { ...pair, pairs: i !== j, words: i === j ? SUM_OF_PRODUCTS : ALL_PAIRS }
  }
  return /^BatchMatMul(V[23])?$/.test(node.op) ? batched(node) : null
}

/** Row i of one side with row i of the other: `[rows, 1, width] · [rows, width, 1]`, as Keras's Dot has it. */
function batched(node: Node): Meeting | null {
  const [a, b] = node.inputs.map(wrapping)
  const words = 'a product of rows'
  const plain = { metric: 'dot' as const, words, pairs: false }
  const [across, down] = [node.attrs.boolean('adj_x', false), node.attrs.boolean('adj_y', false)]
  if (a.axis !== null && b.axis !== null) {
    const fits = a.axis === (across ? 2 : 1) && b.axis === (down ? 1 : 2)
    return fits ? { ...plain, left: a.inner, right: b.inner, deep: false } : null
  }
  // Both come with a dimension of their own: Keras inputs of shape [rows, 1] that were never flattened.
  const turned = node.inputs[1].node
  if (a.axis !== null || b.axis !== null || across || down || !permutes(turned, [0, 2, 1])) return null
  return { ...plain, left: node.inputs[0], right: turned.inputs[0], deep: true }
}

/** Sums and means over the width. */
function reduction(node: Node, rank: number | null): Meeting | null {
  if ((node.op !== 'Sum' && node.op !== 'Mean') || !isOfRows(node)) return null
  const inner = node.inputs[0].node
  if (inner.op === 'Mul')
    return elementwise(node, inner, node.op === 'Sum' ? 'dot' : null, `${ofThe(node)} products`, rank)
  const difference = inner.op === 'Abs' ? inner.inputs[0].node : squaredDifference(inner)
  if (difference === null || (inner.op === 'Abs' && difference.op !== 'Sub')) return null
  return elementwise(
    node,
    difference,
    null,
    `${ofThe(node)} ${inner.op === 'Abs' ? 'absolute' : 'squared'} differences`,
    rank,
  )
}

const ofThe = (node: Node): string => (node.op === 'Sum' ? 'the sum of' : 'the mean of')

/** Keras's epsilon, about which a distance of 0.1 is off by 5e-6 of itself where it is added to the square. */
const EPSILON = 1.01e-7

/** The Euclidean distance. */
function root(node: Node, rank: number | null): Meeting | null {
  if (node.op === 'EuclideanNorm' && node.inputs[0].node.op === 'Sub' && isOfRows(node))
    return elementwise(node, node.inputs[0].node, 'euclidean', 'the norm of the difference', rank)
  if (node.op !== 'Sqrt') return null
  const sum = unguarded(node.inputs[0].node, EPSILON)
  if (sum.op !== 'Sum' || !isOfRows(sum)) return null
  const difference = squaredDifference(sum.inputs[0].node)
  return difference && elementwise(sum, difference, 'euclidean', 'the root of summed squared differences', rank)
}

/** The node whose two inputs' difference `square` squares. */
function squaredDifference(square: Node): Node | null {
  if (square.op === 'SquaredDifference') return square
  if (square.op !== 'Square' && square.op !== 'Mul') return null
  const [inner] = square.inputs
  return inner.node.op === 'Sub' && square.inputs.every((input) => input.node === inner.node) ? inner.node : null
}

/** a · b / (|a| |b|): the cosine, written out. */
function quotient(node: Node, rank: number | null): Meeting | null {
  if (node.op !== 'RealDiv' && node.op !== 'DivNoNan') return null
  const dot = node.inputs[0].node
  const found = product(dot) ?? reduction(dot, rank)
  const norms = unguarded(node.inputs[1].node)
  if (found?.metric !== 'dot' || found.pairs || found.deep || norms.op !== 'Mul') return null
  const [m, n] = norms.inputs.map((value) => value.node)
  const { left, right } = found
  const both = (isNorm(m, left) && isNorm(n, right)) || (isNorm(n, left) && isNorm(m, right))
  return both ? { ...found, metric: 'cosine', words: `${found.words} over both norms` } : null
}

/** The operands of `node`, which `sum` reduces: rows with rows, or all pairs through a new axis on each side. */
function elementwise(sum: Node, node: Node, metric: Metric | null, words: string, rank: number | null): Meeting | null {
  const [a, b] = node.inputs.map(wrapping)
  const axis = reducedAxis(sum)
  if (a.axis === null && b.axis === null) {
    const [left, right] = node.inputs
    const isCube = rank !== null && rank + (sum.attrs.boolean('keep_dims', false) ? 0 : 1) === 3
    if (isCube && axis === 1) return null
    return { left, right, metric, words, pairs: false, deep: axis === 2 || (isCube && axis === -1) }
  }
  // One side alone with a new axis: a query with a list of candidates of its own.
  if (a.axis === null || b.axis === null || a.axis > 1 || b.axis > 1 || axis === 1) return null
  return { left: a.inner, right: b.inner, metric, words, pairs: a.axis !== b.axis, deep: false }
}

/** What `value` puts a new axis into, and where; axis null where it does not. */
function wrapping(value: Value): { readonly inner: Value; readonly axis: number | null } {
  const { node } = value
  if (node.op === 'ExpandDims') {
    const held = constantOf(node.inputs[1])
    if (held !== null && isNumeric(held)) {
      const axis = Number((held.data as TypedArray)[0])
      // Counted from the right, in a matrix.
      return { inner: node.inputs[0], axis: axis < 0 ? axis + 3 : axis }
    }
  }
  if (node.op === 'StridedSlice') {
    // x[:, tf.newaxis, :]
    const mask = (name: string) => node.attrs.number(name, 0)
    const [all, fresh] = [mask('begin_mask') & mask('end_mask'), mask('new_axis_mask')]
    const axis = [1, 2, 4].indexOf(fresh)
    const whole = [0, 1, 2].every((i) => i === axis || (all >> i) & 1)
    if (axis >= 0 && whole && mask('shrink_axis_mask') === 0 && mask('ellipsis_mask') === 0)
      return { inner: node.inputs[0], axis }
  }
  return { inner: value, axis: null }
}

/** The matrix that `value` is the transpose of, or null. tf.tensordot reshapes what it has transposed. */
function transposed(value: Value): Value | null {
  const { node } = value.node.op === 'Reshape' ? value.node.inputs[0] : value
  return permutes(node, [1, 0]) ? node.inputs[0] : null
}

function permutes(node: Node, order: readonly number[]): boolean {
  const held = node.op === 'Transpose' ? constantOf(node.inputs[1]) : null
  if (held === null || !isNumeric(held)) return false
  const axes = held.data as TypedArray
  return axes.length === order.length && order.every((axis, i) => Number(axes[i]) === axis)
}

/** `[rows, 1, width]` as `[rows, width]`. */
const rowsOf = (value: Value): Value => ({
  node: {
    name: `${value.node.name}/rows`,
    op: 'Squeeze',
    attrs: new Attrs({ squeeze_dims: [1] }),
    inputs: [value],
    controls: [],
  },
  index: 0,
})
