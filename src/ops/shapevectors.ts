import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type ArrayDType, isFloat, rounded, type Shape, sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { filled, numeric } from './elementwise.ts'
import { integer, integers, integerTensor, integerVector } from './integers.ts'
import { take } from './layout.ts'
import { shapeOfIntegers } from './shape.ts'

// What few towers ask of shapes, of the vectors that hold them and of progressions, after
// core/kernels/{shape_ops,sequence_ops,bcast_ops,concat_lib}.*

const broadcastTo: Op = {
  evaluate({ inputs: [x, wanted] }) {
    if (wanted.shape.length !== 1) throw new InvalidArgumentError(`shape must be 1-D, got [${wanted.shape}]`)
    const shape = shapeOfIntegers(wanted)
    if (sameShape(x.shape, shape)) return x
    if (x.shape.length > shape.length || !sameShape(broadcastShape(x.shape, shape), shape)) {
      throw new InvalidArgumentError(`Incompatible shapes: [${x.shape}] vs. [${shape}]`)
    }
    return take(x, broadcastIndices(x.shape, shape), shape)
  },
}

/** The scalar that input `i` is, or the one element of a vector. */
function number(call: Call, i: number, what: string): number | bigint {
  const x = numeric(call, i)
  if (x.shape.length > 1 || sizeOf(x.shape) !== 1)
    throw new InvalidArgumentError(`${what} must be a scalar, not shape [${x.shape}]`)
  return x.data[0]
}

/** start, start + delta, … below limit. Each is its neighbour plus delta, rounded, so errors add up as TensorFlow's do. */
const range: Op = {
  evaluate(call) {
    const [start, limit, delta] = [number(call, 0, 'start'), number(call, 1, 'limit'), number(call, 2, 'delta')]
    const dtype = call.inputs[0].dtype as ArrayDType
    if (Number(delta) === 0) throw new InvalidArgumentError(`Requires delta != 0: ${delta}`)
    if (delta > 0 ? start > limit : start < limit) {
      throw new InvalidArgumentError(
        `Requires start ${delta > 0 ? '<= limit when delta > 0' : '>= limit when delta < 0'}: ${start}/${limit}`,
      )
    }
    const count = rangeSize(start, limit, delta, dtype)
    return filled(dtype, [count], (out) => {
      if (count > 0) out[0] = start
      for (let i = 1; i < count; i++) {
        out[i] = ((out[i - 1] as number) + (delta as number)) as number
        rounded(dtype, out.subarray(i, i + 1))
      }
    })
  },
}

function rangeSize(start: number | bigint, limit: number | bigint, delta: number | bigint, dtype: ArrayDType): number {
  if (typeof start === 'bigint') {
    const [distance, step] = [BigInt(limit) - start, BigInt(delta)]
    return Number(distance / step + (distance % step === 0n ? 0n : 1n))
  }
  const quotient = (Number(limit) - start) / Number(delta)
  if (!isFloat(dtype)) return Math.ceil(quotient)
  if (!Number.isFinite(quotient)) throw new InvalidArgumentError(`Requires a finite range: ${start}/${limit}/${delta}`)
  return Math.ceil(dtype === 'float64' ? quotient : Math.fround(Math.fround(Number(limit) - start) / Number(delta)))
}

const ensureShape: Op = {
  evaluate({ inputs: [x], attrs }) {
    const wanted = attrs.shape('shape')
    const fits =
      wanted === null ||
      (wanted.length === x.shape.length && wanted.every((dim, i) => dim === null || dim === x.shape[i]))
    if (fits) return x
    throw new InvalidArgumentError(
      `Shape of tensor [${x.shape}] is not compatible with expected shape [${wanted.map((dim) => dim ?? '?')}].`,
    )
  },
}

/** The shape that two shapes broadcast to. */
const broadcastArgs: Op = {
  evaluate(call) {
    const [a, b] = [integerVector(call, 0, 'In[0]'), integerVector(call, 1, 'In[1]')]
    const shape = broadcastShape(a, b)
    return integerTensor(call.inputs[0].dtype, [shape.length], shape)
  },
}

/** Along which dimensions each of two operands was repeated; of equal shapes none, not even those of 1. */
const broadcastGradientArgs: Op = {
  outputs: ['r0', 'r1'],
  evaluate(call) {
    const [a, b] = [integerVector(call, 0, 'In[0]'), integerVector(call, 1, 'In[1]')]
    const rank = broadcastShape(a, b).length
    const repeated = (shape: Shape): Tensor => {
      const axes = Array.from({ length: rank }, (_, axis) => axis).filter(
        (axis) => (shape[axis - rank + shape.length] ?? 1) === 1,
      )
      const kept = sameShape(a, b) ? [] : axes
      return integerTensor(call.inputs[0].dtype, [kept.length], kept)
    }
    return [repeated(a), repeated(b)]
  },
}

const linSpace: Op = {
  evaluate(call) {
    const [start, stop] = [Number(number(call, 0, 'start')), Number(number(call, 1, 'stop'))]
    const count = integer(call, 2, 'num')
    if (count <= 0) throw new InvalidArgumentError(`Requires num > 0: ${count}`)
    return filled(call.inputs[0].dtype as ArrayDType, [count], (out) => {
      for (let i = 1; i < count - 1; i++) out[i] = start + ((stop - start) / (count - 1)) * i
      out[count - 1] = stop
      out[0] = start
    })
  },
}

const invertPermutation: Op = {
  evaluate(call) {
    const to = integerVector(call, 0, 'the permutation')
    const from = new Array<number>(to.length).fill(-1)
    to.forEach((position, i) => {
      if (!(position >= 0 && position < to.length)) {
        throw new InvalidArgumentError(`${position} is not between 0 and ${to.length}`)
      }
      if (from[position] >= 0) throw new InvalidArgumentError(`${position} is duplicated in the input.`)
      from[position] = i
    })
    return integerTensor(call.inputs[0].dtype, [to.length], from)
  },
}

/** Where each of several tensors begins in their concatenation, from their shapes. */
const concatOffset: Op = {
  outputs: (attrs) => [['offset', attrs.number('N')]],
  evaluate(call) {
    const shapes = call.inputs.slice(1).map((_, i) => integerVector(call, i + 1, `shape ${i}`))
    const axis = axisOf(integer(call, 0, 'concat_dim'), shapes[0].length, 'concat_dim')
    let offset = 0
    return shapes.map((shape, i) => {
      if (shape.length !== shapes[0].length) {
        throw new InvalidArgumentError(
          `input ${i} should contain ${shapes[0].length} elements, but got ${shape.length}`,
        )
      }
      const other = shape.findIndex((dim, d) => d !== axis && dim !== shapes[0][d])
      if (other >= 0) {
        throw new InvalidArgumentError(
          `All dimensions except ${axis} must match. Input ${i} has shape [${shape}] and doesn't match input 0 with shape [${shapes[0]}].`,
        )
      }
      const start = shape.map((_, d) => (d === axis ? offset : 0))
      offset += shape[axis]
      return integerTensor(call.inputs[i + 1].dtype, [shape.length], start)
    })
  },
}

/** The coordinates, one row a dimension of `dims`, of places in row-major order; after core/kernels/unravel_index_op.cc. */
const unravelIndex: Op = {
  evaluate(call) {
    const [{ dtype, shape }] = call.inputs
    if (shape.length > 1) throw new InvalidArgumentError(`The indices can only be scalar or vector, got [${shape}]`)
    const places = integers(call, 0, 'indices')
    const dims = integerVector(call, 1, 'dims')
    if (dims.includes(0)) throw new InvalidArgumentError('Input dims cannot contain a dim of zero')
    const size = sizeOf(dims)
    const outside = places.find((place) => place >= size)
    if (outside !== undefined) throw new InvalidArgumentError(`index ${outside} is out of bound as with dims [${dims}]`)
    const rows = dims.flatMap((dim, d) => {
      const below = sizeOf(dims.slice(d + 1))
      // A negative place is not refused: its coordinates are what C's division leaves.
      return places.map((place) => Math.trunc((place % (dim * below)) / below))
    })
    return integerTensor(dtype, [dims.length, ...shape], rows)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  BroadcastTo: broadcastTo,
  Range: range,
  EnsureShape: ensureShape,
  BroadcastArgs: broadcastArgs,
  BroadcastGradientArgs: broadcastGradientArgs,
  LinSpace: linSpace,
  InvertPermutation: invertPermutation,
  ConcatOffset: concatOffset,
  UnravelIndex: unravelIndex,
}
