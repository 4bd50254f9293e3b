import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import type { ArrayDType, Shape, Tensor } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { broadcastShape, sameShape } from './broadcast.ts'
import { filled } from './elementwise.ts'
import { integer, integerTensor, integerVector } from './integers.ts'
import { number } from './shape.ts'

// What few towers ask of shapes, and of the vectors that hold them, after core/kernels/{shape_ops,sequence_ops,bcast_ops,
// inplace_ops,concat_lib}.*

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
      for (let i = 0; i < count - 1; i++) out[i] = start + ((stop - start) / (count - 1)) * i
      out[count - 1] = count === 1 ? start : stop
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

export const ops: Readonly<Record<string, Op>> = {
  EnsureShape: ensureShape,
  BroadcastArgs: broadcastArgs,
  BroadcastGradientArgs: broadcastGradientArgs,
  LinSpace: linSpace,
  InvertPermutation: invertPermutation,
  ConcatOffset: concatOffset,
}
