import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { integersOf, integerVector } from './integers.ts'
import { Assembly, pick, progression, reshaped, stepsOf } from './layout.ts'

// Cutting tensors up and joining them, after core/kernels/{concat,pack,strided_slice}_op.cc.

/** An axis that is a scalar, or as older graphs have it a vector of one. */
export function axisInput(call: Call, i: number, rank: number): number {
  const { shape } = call.inputs[i]
  if (sizeOf(shape) !== 1 || shape.length > 1) {
    throw new InvalidArgumentError(`the axis must be a scalar, got shape [${shape}]`)
  }
  return axisOf(integersOf(call.inputs[i], 'the axis')[0], rank)
}

/** `values` end to end along `axis`. All other dimensions are equal. */
export function concatenate(values: readonly Tensor[], axis: number): Tensor {
  const [first] = values
  for (let i = 1; i < values.length; i++) {
    const { shape } = values[i]
    if (shape.length !== first.shape.length) {
      throw new InvalidArgumentError(
        `ConcatOp : Ranks of all input tensors should match: shape[0] = [${first.shape}] vs. shape[${i}] = [${shape}]`,
      )
    }
    for (let d = 0; d < shape.length; d++) {
      if (d === axis || shape[d] === first.shape[d]) continue
      throw new InvalidArgumentError(
        `ConcatOp : Dimension ${d} in both shapes must be equal: shape[0] = [${first.shape}] vs. shape[${i}] = [${shape}]`,
      )
    }
  }
  let length = 0
  for (const { shape } of values) length += shape[axis]
  const outer = sizeOf(first.shape.slice(0, axis))
  const inner = sizeOf(first.shape.slice(axis + 1))
  const joined = new Assembly(first.dtype, first.shape.with(axis, length))
  for (let i = 0; i < outer; i++) {
    for (const value of values) joined.append(value, i * value.shape[axis] * inner, value.shape[axis] * inner)
  }
  return joined.finish()
}

/** The axis is input `at`, the values are all the others. */
const concat = (at: 'first' | 'last'): Op => ({
  evaluate(call) {
    const values = at === 'first' ? call.inputs.slice(1) : call.inputs.slice(0, -1)
    return concatenate(values, axisInput(call, at === 'first' ? 0 : values.length, values[0].shape.length))
  },
})

/** Tensors of one shape side by side along a new dimension. */
const pack: Op = {
  evaluate({ inputs, attrs }) {
    const [first] = inputs
    inputs.forEach(({ shape }, i) => {
      if (sameShape(shape, first.shape)) return
      throw new InvalidArgumentError(
        `Shapes of all inputs must match: values[0].shape = [${first.shape}] != values[${i}].shape = [${shape}]`,
      )
    })
    const axis = axisOf(attrs.number('axis', 0), first.shape.length + 1)
    const outer = sizeOf(first.shape.slice(0, axis))
    const inner = sizeOf(first.shape.slice(axis))
    const packed = new Assembly(first.dtype, first.shape.toSpliced(axis, 0, inputs.length))
    for (let i = 0; i < outer; i++) for (const value of inputs) packed.append(value, i * inner, inner)
    return packed.finish()
  },
}

/** One dimension of a strided slice. */
interface Cut {
  readonly begin: number
  readonly stride: number
  readonly size: number
}

/** The cut of dimension `axis`, of `dim` elements (core/util/strided_slice_op.cc); a null end is left open. */
function cutOf(begin: number | null, end: number | null, stride: number, dim: number, axis: number): Cut {
  if (stride === 0) throw new InvalidArgumentError(`strides[${axis}] must be non-zero`)
  const low = stride > 0 ? 0 : -1
  const high = stride > 0 ? dim : dim - 1
  const first = begin === null ? (stride > 0 ? low : high) : clamped(begin, dim, low, high)
  const last = end === null ? (stride > 0 ? high : low) : clamped(end, dim, low, high)
  return { begin: first, stride, size: Math.max(0, Math.ceil((last - first) / stride)) }
}

const clamped = (at: number, dim: number, low: number, high: number): number =>
  Math.min(Math.max(at < 0 ? at + dim : at, low), high)

/** The cut of a dimension of which one index is taken, and that goes. */
function indexOf(given: number, stride: number, dim: number, axis: number): Cut {
  if (stride === 0) throw new InvalidArgumentError(`strides[${axis}] must be non-zero`)
  if (stride < 0) throw new InvalidArgumentError('only stride 1 allowed on non-range indexing.')
  const at = given < 0 ? given + dim : given
  if (!(at >= 0 && at < dim)) throw new InvalidArgumentError(`slice index ${given} of dimension ${axis} out of bounds.`)
  return { begin: at, stride, size: 1 }
}

/**
 * x[begin : end : stride, …, newaxis, i]. The ellipsis wins over a new axis, that over a shrunk one; a shrunk
 * dimension takes `begin` whatever the begin mask says.
 */
const stridedSlice: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const { attrs } = call
    const begin = integerVector(call, 1, 'begin')
    const end = integerVector(call, 2, 'end')
    const stride = integerVector(call, 3, 'strides')
    const entries = begin.length
    if (entries !== end.length || entries !== stride.length) {
      throw new InvalidArgumentError(
        `Expected begin, end, and strides to be 1D equal size tensors, but got shapes [${entries}], [${end.length}], and [${stride.length}] instead.`,
      )
    }
    const beginMask = attrs.number('begin_mask', 0)
    const endMask = attrs.number('end_mask', 0)
    const newAxisMask = attrs.number('new_axis_mask', 0)
    const shrinkMask = attrs.number('shrink_axis_mask', 0)
    const ellipsisMask = attrs.number('ellipsis_mask', 0) & (2 ** entries - 1)
    if ((ellipsisMask & (ellipsisMask - 1)) !== 0) {
      throw new InvalidArgumentError('Multiple ellipses in slice spec not allowed')
    }
    // Where nothing is left out, what the entries do not name comes last.
    const ellipsis = ellipsisMask === 0 ? entries : 31 - Math.clz32(ellipsisMask)
    let named = 0
    for (let i = 0; i < entries; i++) if (i !== ellipsis && ((newAxisMask >> i) & 1) === 0) named++
    const rank = x.shape.length
    if (named > rank) {
      throw new InvalidArgumentError(`Index out of range using input dim ${rank}; input has only ${rank} dims`)
    }
    const steps = stepsOf(x.shape)
    const lists: number[][] = []
    const shape: number[] = []
    let whole = true
    for (let i = 0, axis = 0; i <= entries; i++) {
      const count = i === ellipsis ? rank - named : i < entries && ((newAxisMask >> i) & 1) === 0 ? 1 : 0
      if (count === 0 && i !== ellipsis && i < entries) shape.push(1)
      for (const last = axis + count; axis < last; axis++) {
        const dim = x.shape[axis]
        const shrunk = i !== ellipsis && ((shrinkMask >> i) & 1) === 1
        const cut =
          i === ellipsis
            ? { begin: 0, stride: 1, size: dim }
            : shrunk
              ? indexOf(begin[i], stride[i], dim, axis)
              : cutOf(
                  ((beginMask >> i) & 1) === 1 ? null : begin[i],
                  ((endMask >> i) & 1) === 1 ? null : end[i],
                  stride[i],
                  dim,
                  axis,
                )
        whole &&= cut.stride === 1 && cut.size === dim
        lists.push(progression(cut.size, cut.stride * steps[axis], cut.begin * steps[axis]))
        if (!shrunk) shape.push(cut.size)
      }
    }
    return whole ? reshaped(x, shape) : pick(x, lists, shape)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Concat: concat('first'),
  ConcatV2: concat('last'),
  Pack: pack,
  StridedSlice: stridedSlice,
}
