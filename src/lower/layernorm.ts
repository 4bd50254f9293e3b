import { Attrs, constantOf, type Graph, type Node, type Value } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'

/** The fused op's name: no op of TensorFlow's. Its semantics are in ops/layernorm.ts. */
const LAYER_NORM = 'twotower>LayerNorm'

/**
 * Layer normalisation becomes one node, in the forms that exports have: Keras 2's, a batch normalisation in training of one
 * image whose channels are the rows; Keras 2's for an epsilon too small for that, and tf.nn.batch_normalization's of
 * tf.nn.moments; Keras 3's, which negates the mean.
 */
export function fuseLayerNorm(graph: Graph): Graph {
  return rewrite(graph, (node, { emit }) => {
    const found = ofImage(node) ?? ofMoments(node)
    if (found === null) return null
    const { x, gamma, beta, ...attrs } = found
    const inputs = [x, gamma, beta]
    return [
      { node: emit({ name: node.name, op: LAYER_NORM, attrs: new Attrs(attrs), inputs, controls: [] }), index: 0 },
    ]
  })
}

interface LayerNorm {
  readonly x: Value
  readonly gamma: Value
  readonly beta: Value
  readonly epsilon: number
  /** The moments are over the axes from `first` to `last`. */
  readonly first: number
  readonly last: number
}

const ADD = /^Add(V2)?$/
const BATCH_NORM = /^FusedBatchNorm(V[23])?$/

const same = (a: Value, b: Value): boolean => a.node === b.node && a.index === b.index

/** The inputs of `node` either way round, where it is one of `op`; else none. */
function either({ op, inputs, controls }: Node, wanted: RegExp): readonly (readonly Value[])[] {
  return wanted.test(op) && controls.length === 0 ? [inputs, [inputs[1], inputs[0]]] : []
}

/** The inputs of `value`'s node, where that is one of `op`; else null. */
function ofOp({ node }: Value, op: string): readonly Value[] | null {
  return node.op === op && node.controls.length === 0 ? node.inputs : null
}

/** The one number that `value` is. */
function numberOf(value: Value): number | null {
  const held = constantOf(value)
  const isNumber = held?.dtype === 'float32' || held?.dtype === 'int32' || held?.dtype === 'int64'
  return isNumber && held.data.length === 1 ? Number(held.data[0]) : null
}

/** Whether both are a number an element of the last axis, so that they broadcast over whatever lies before it. */
function areFactors(gamma: Value, beta: Value): boolean {
  const [a, b] = [constantOf(gamma), constantOf(beta)]
  return (
    a?.dtype === 'float32' &&
    b?.dtype === 'float32' &&
    // One number an axis would broadcast along it.
    a.data.length > 1 &&
    a.data.length === b.data.length &&
    [a, b].every(({ shape, data }) => shape[shape.length - 1] === data.length)
  )
}

function ofImage(node: Node): LayerNorm | null {
  for (const [scaled, beta] of either(node, ADD))
    for (const [whole, gamma] of either(scaled.node, /^Mul$/)) {
      const [image, shape] = ofOp(whole, 'Reshape') ?? []
      if (image === undefined || image.index !== 0 || !BATCH_NORM.test(image.node.op)) continue
      const { attrs, inputs, controls } = image.node
      const [rows, ones, nothing] = inputs
      const [x, dims] = ofOp(rows, 'Reshape') ?? []
      const isTraining =
        controls.length === 0 &&
        attrs.boolean('is_training', true) &&
        attrs.string('data_format', 'NHWC') === 'NCHW' &&
        attrs.number('exponential_avg_factor', 1) === 1
      if (x === undefined || !isTraining || filledWith(ones) !== 1 || filledWith(nothing) !== 0) continue
      const first = split(dims, x)
      if (first === null || !isShapeOf(shape, x) || !areFactors(gamma, beta)) continue
      return { x, gamma, beta, epsilon: attrs.number('epsilon', 0.0001), first, last: -1 }
    }
  return null
}

const filledWith = (value: Value): number | null => {
  const [, number] = ofOp(value, 'Fill') ?? []
  return number === undefined ? null : numberOf(number)
}

const isShapeOf = (value: Value, x: Value): boolean => {
  const [of] = ofOp(value, 'Shape') ?? []
  return of !== undefined && same(of, x)
}

/** The axis k for which `dims` is [1, Π shape[:k], Π shape[k:], 1] of x. */
function split(dims: Value, x: Value): number | null {
  const [one, before, after, last] = ofOp(dims, 'Pack') ?? []
  if (last === undefined || numberOf(one) !== 1 || numberOf(last) !== 1) return null
  const [head, tail] = [part(before, x), part(after, x)]
  const isSplit = head?.begin === 0 && tail?.end === null && head.end === tail.begin && tail.begin > 0
  return isSplit ? tail.begin : null
}

/** The bounds between which `value` is the product of x's shape; null at the end is where it ends. */
function part(value: Value, x: Value): { readonly begin: number; readonly end: number | null } | null {
  const [cut, axis] = ofOp(value, 'Prod') ?? []
  if (cut === undefined || numberOf(axis) !== 0) return null
  const [shape, begin, end, strides] = ofOp(cut, 'StridedSlice') ?? []
  if (shape === undefined || !isShapeOf(shape, x) || numberOf(strides) !== 1) return null
  const { attrs } = cut.node
  if (['ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].some((mask) => attrs.number(mask, 0) !== 0)) return null
  const [from, to] = [attrs.number('begin_mask', 0) === 1 ? 0 : numberOf(begin), numberOf(end)]
  const isOpen = attrs.number('end_mask', 0) === 1
  return from === null || (to === null && !isOpen) ? null : { begin: from, end: isOpen ? null : to }
}

function ofMoments(node: Node): LayerNorm | null {
  for (const [scaled, shift] of either(node, ADD))
    for (const [x, factor] of either(scaled.node, /^Mul$/))
      for (const [root, gamma] of either(factor.node, /^Mul$/)) {
        const moments = rootOfVariance(root, x)
        const beta = moments === null ? null : lessMean(shift, moments.mean, factor)
        if (moments === null || beta === null || !areFactors(gamma, beta)) continue
        return { x, gamma, beta, epsilon: moments.epsilon, first: moments.axis, last: moments.axis }
      }
  return null
}

/** 1 / √(variance of x + epsilon) along one axis. */
function rootOfVariance(
  root: Value,
  x: Value,
): { readonly mean: Value; readonly epsilon: number; readonly axis: number } | null {
  const [sum] = ofOp(root, 'Rsqrt') ?? []
  if (sum === undefined) return null
  for (const [variance, guard] of either(sum.node, ADD)) {
    const epsilon = numberOf(guard)
    const [squares, axis] = meanOf(variance) ?? []
    if (epsilon === null || squares === undefined) continue
    for (const [of, mean] of either(squares.node, /^SquaredDifference$/)) {
      const [averaged, along] = meanOf(mean) ?? []
      const [one, other] = [numberOf(axis), along === undefined ? null : numberOf(along)]
      if (!same(of, x) || averaged === undefined || !same(averaged, x) || one === null || one !== other) continue
      return { mean, epsilon, axis: one }
    }
  }
  return null
}

/** What `value` is the mean of, and the axes, which stay as ones. */
const meanOf = (value: Value): readonly Value[] | null =>
  value.node.attrs.boolean('keep_dims', false) ? ofOp(value, 'Mean') : null

/** The beta of which `value` is beta − mean · factor, or (−mean) · factor + beta. */
function lessMean(value: Value, mean: Value, factor: Value): Value | null {
  const isProduct = (product: Value, of: (term: Value) => boolean): boolean =>
    either(product.node, /^Mul$/).some(([a, b]) => of(a) && same(b, factor))
  const [beta, product] = ofOp(value, 'Sub') ?? []
  if (beta !== undefined && isProduct(product, (term) => same(term, mean))) return beta
  const isNegated = (term: Value): boolean => {
    const [of] = ofOp(term, 'Neg') ?? []
    return of !== undefined && same(of, mean)
  }
  return either(value.node, ADD).find(([negated]) => isProduct(negated, isNegated))?.[1] ?? null
}
