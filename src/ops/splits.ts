import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { integer, integersOf, integerVector } from './integers.ts'
import { Assembly, pick, progression, reshaped, stepsOf } from './layout.ts'
import { axisInput } from './slices.ts'

// Tensors cut into parts, after core/kernels/{unpack,split,split_v,slice}_op.cc.

/** Consecutive parts of `x` along `axis`, `sizes` long. */
export function cut(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const outer = sizeOf(x.shape.slice(0, axis))
  const inner = sizeOf(x.shape.slice(axis + 1))
  let start = 0
  return sizes.map((size) => {
    const part = new Assembly(x.dtype, x.shape.with(axis, size))
    for (let i = 0; i < outer; i++) part.append(x, (i * x.shape[axis] + start) * inner, size * inner)
    start += size
    return part.finish()
  })
}

const unpack: Op = {
  outputs: (attrs) => [['output', attrs.number('num')]],
  evaluate({ inputs: [x], attrs }) {
    const axis = axisOf(attrs.number('axis', 0), x.shape.length)
    const count = attrs.number('num')
    if (x.shape[axis] !== count) {
      throw new InvalidArgumentError(`Input shape axis ${axis} must equal ${count}, got shape [${x.shape}]`)
    }
    return cut(x, axis, new Array<number>(count).fill(1)).map((part) => reshaped(part, x.shape.toSpliced(axis, 1)))
  },
}

const split: Op = {
  outputs: (attrs) => [['output', attrs.number('num_split')]],
  evaluate(call) {
    const x = call.inputs[1]
    const count = call.attrs.number('num_split')
    const axis = axisOf(integer(call, 0, 'split_dim'), x.shape.length, 'split_dim')
    if (x.shape[axis] % count !== 0) {
      throw new InvalidArgumentError(
        `Number of ways to split should evenly divide the split dimension, but got split_dim ${axis} (size = ${x.shape[axis]}) and num_split ${count}`,
      )
    }
    return cut(x, axis, new Array<number>(count).fill(x.shape[axis] / count))
  },
}

/** Parts of given sizes; one of them may be -1 for the rest. */
const splitV: Op = {
  outputs: (attrs) => [['output', attrs.number('num_split')]],
  evaluate(call) {
    const [x] = call.inputs
    const axis = axisInput(call, 2, x.shape.length)
    const sizes = integersOf(call.inputs[1], 'size_splits')
    const wanted = call.attrs.number('num_split')
    if (sizes.length !== wanted || call.inputs[1].shape.length > 1) {
      throw new InvalidArgumentError(`size_splits must have ${wanted} elements, got ${sizes.length}`)
    }
    const rest = sizes.indexOf(-1)
    const known = sizes.reduce((sum, size) => sum + (size === -1 ? 0 : size), 0)
    const total = x.shape[axis]
    if (sizes.some((size) => size < -1)) throw new InvalidArgumentError(`Split size must be >= 0. Got: [${sizes}]`)
    if (rest !== sizes.lastIndexOf(-1)) throw new InvalidArgumentError('There can only be one -1 in the input.')
    if (rest < 0 ? known !== total : known > total) {
      throw new InvalidArgumentError(
        `Determined shape must either match input shape along split_dim exactly if fully specified, or be less than the size of the input along split_dim if not fully specified. Got: ${known}`,
      )
    }
    return cut(x, axis, rest < 0 ? sizes : sizes.with(rest, total - known))
  },
}

/** `size` elements from `begin` in each dimension; a size of -1 is the rest. */
const slice: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const [begin, sizes] = [integerVector(call, 1, 'begin'), integerVector(call, 2, 'size')]
    const rank = x.shape.length
    if (begin.length !== rank || sizes.length !== rank) {
      throw new InvalidArgumentError(
        `Expected begin and size arguments to be 1-D tensors of size ${rank}, but got shapes [${begin.length}] and [${sizes.length}] instead.`,
      )
    }
    const shape = x.shape.map((dim, i) => {
      const size = sizes[i] === -1 ? dim - begin[i] : sizes[i]
      if (!(begin[i] >= 0 && begin[i] <= dim)) {
        throw new InvalidArgumentError(`Expected begin[${i}] in [0, ${dim}], but got ${begin[i]}`)
      }
      if (!(size >= 0 && begin[i] + size <= dim)) {
        throw new InvalidArgumentError(`Expected size[${i}] in [0, ${dim - begin[i]}], but got ${size}`)
      }
      return size
    })
    const steps = stepsOf(x.shape)
    return pick(
      x,
      shape.map((size, i) => progression(size, steps[i], begin[i] * steps[i])),
      shape,
    )
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Unpack: unpack,
  Split: split,
  SplitV: splitV,
  Slice: slice,
}
