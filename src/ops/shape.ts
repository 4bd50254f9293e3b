import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Shape, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { integersOf, integerTensor } from './integers.ts'
import { reshaped, take } from './layout.ts'

// Shapes, and tensors made from shapes alone, after core/kernels/{shape_ops,reshape_op,sequence_ops,bcast_ops}.*

/**
 * One size may be -1: it is what the others leave. Where a size is 0, that is what the input's dimensions other than 0
 * leave, rounded down: [0, 3] becomes [3, 0] by [-1, 0] and [0, 1, 2] by [0, -1, 2].
 */
const reshape: Op = {
  evaluate(call) {
    const [x, shape] = call.inputs
    if (shape.shape.length > 1) throw new InvalidArgumentError(`sizes input must be 1-D, not [${shape.shape}]`)
    const sizes = integersOf(shape, 'shape')
    const unknown = sizes.indexOf(-1)
    if (unknown !== sizes.lastIndexOf(-1)) {
      throw new InvalidArgumentError(`Only one input size may be -1, not both ${unknown} and ${sizes.lastIndexOf(-1)}`)
    }
    const negative = sizes.findIndex((dim) => dim < -1)
    if (negative >= 0) throw new InvalidArgumentError(`Size ${negative} must be non-negative, not ${sizes[negative]}`)
    if (unknown >= 0) {
      const known = sizeOf(sizes.filter((dim) => dim > 0))
      const size = sizeOf(sizes.includes(0) ? x.shape.filter((dim) => dim > 0) : x.shape)
      const empty = sizes.includes(0) && x.shape.includes(0)
      if (!empty && size % known !== 0) {
        throw new InvalidArgumentError(
          `Input to reshape is a tensor with ${size} values, but the requested shape requires a multiple of ${known}`,
        )
      }
      sizes[unknown] = Math.floor(size / known)
    }
    if (sizeOf(sizes) !== sizeOf(x.shape)) {
      throw new InvalidArgumentError(
        `Input to reshape is a tensor with ${sizeOf(x.shape)} values, but the requested shape has ${sizeOf(sizes)}`,
      )
    }
    return reshaped(x, sizes)
  },
}

const shapeOf = (x: Tensor, call: Call): Tensor =>
  integerTensor(call.attrs.dtype('out_type', 'int32'), [x.shape.length], x.shape)

/** A new dimension of 1 before dimension `dim`; -1 is after the last. */
const expandDims: Op = {
  evaluate(call) {
    const [x, dim] = call.inputs
    const axes = integersOf(dim, 'dim')
    if (axes.length !== 1) throw new InvalidArgumentError("'dim' must be a tensor with a single value")
    const axis = axisOf(axes[0], x.shape.length + 1, 'dim')
    return reshaped(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)])
  },
}

/** Without all dimensions of 1, or without those that `squeeze_dims` names. */
const squeeze: Op = {
  evaluate({ inputs: [x], attrs }) {
    const axes = attrs.numbers('squeeze_dims', []).map((axis) => axisOf(axis, x.shape.length, 'squeeze dim'))
    for (const axis of axes) {
      if (x.shape[axis] === 1) continue
      throw new InvalidArgumentError(`Can not squeeze dim[${axis}], expected a dimension of 1, got ${x.shape[axis]}`)
    }
    const gone = (dim: number, axis: number) => (axes.length === 0 ? dim === 1 : axes.includes(axis))
    return reshaped(
      x,
      x.shape.filter((dim, axis) => !gone(dim, axis)),
    )
  },
}

/** Refuses what is no shape. */
export function shapeOfIntegers(input: Tensor): Shape {
  const dims = integersOf(input, 'the shape')
  const negative = dims.findIndex((dim) => dim < 0)
  if (negative >= 0) throw new InvalidArgumentError(`Dimension ${dims[negative]} must be >= 0`)
  return dims
}

const fill: Op = {
  evaluate(call) {
    const [dims, value] = call.inputs
    if (dims.shape.length > 1) throw new InvalidArgumentError(`dims must be a vector, got shape [${dims.shape}]`)
    const shape = shapeOfIntegers(dims)
    if (value.shape.length > 1 || sizeOf(value.shape) !== 1)
      throw new InvalidArgumentError(`value must be a scalar, got shape [${value.shape}]`)
    return take(value, zeros('int32', sizeOf(shape)), shape)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Reshape: reshape,
  Shape: { evaluate: (call) => shapeOf(call.inputs[0], call) },
  ShapeN: {
    outputs: (attrs) => [['output', attrs.number('N')]],
    evaluate: (call) => call.inputs.map((x) => shapeOf(x, call)),
  },
  Size: {
    evaluate: ({ inputs: [x], attrs }) => integerTensor(attrs.dtype('out_type', 'int32'), [], [sizeOf(x.shape)]),
  },
  Rank: { evaluate: ({ inputs: [x] }) => integerTensor('int32', [], [x.shape.length]) },
  ExpandDims: expandDims,
  Squeeze: squeeze,
  Fill: fill,
}
