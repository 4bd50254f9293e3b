import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { isNumeric, type NumberArray, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { filled, type NumericTensor } from './elementwise.ts'
import { integersOf, integerVector } from './integers.ts'
import { copyRun, grid, pick, progression, stepsOf, take } from './layout.ts'

// The same elements in another order or more than once, after core/kernels/{transpose,tile,pad,mirror_pad,reverse,
// reverse_sequence,roll,spacetobatch,batchtospace}_op.cc.

const transpose: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const perm = integerVector(call, 1, 'perm')
    const rank = x.shape.length
    if (perm.length !== rank) {
      throw new InvalidArgumentError(
        `transpose expects a vector of size ${rank}. But input(1) is a vector of size ${perm.length}`,
      )
    }
    const outside = perm.find((axis) => !(axis >= 0 && axis < rank))
    if (outside !== undefined) throw new InvalidArgumentError(`${outside} is out of range [0 .. ${rank})`)
    const missing = progression(rank).find((axis) => !perm.includes(axis))
    if (missing !== undefined) throw new InvalidArgumentError(`${missing} is missing from {${perm}}.`)
    const steps = stepsOf(x.shape)
    const shape = perm.map((axis) => x.shape[axis])
    return pick(
      x,
      perm.map((axis) => progression(x.shape[axis], steps[axis])),
      shape,
    )
  },
}

const tile: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const multiples = integerVector(call, 1, 'multiples')
    if (multiples.length !== x.shape.length) {
      throw new InvalidArgumentError(
        `Expected multiples argument to be a vector of length ${x.shape.length} but got length ${multiples.length}`,
      )
    }
    const negative = multiples.findIndex((multiple) => multiple < 0)
    if (negative >= 0) {
      throw new InvalidArgumentError(`Expected multiples[${negative}] >= 0, but got ${multiples[negative]}`)
    }
    const shape = x.shape.map((dim, axis) => dim * multiples[axis])
    zeros('uint8', sizeOf(shape))
    const last = multiples.findLastIndex((multiple) => multiple !== 1)
    if (isNumeric(x) && multiples.findIndex((multiple) => multiple !== 1) === last)
      return last < 0 ? x : tiledAlong(x, last, multiples[last], shape)
    const steps = stepsOf(x.shape)
    return pick(
      x,
      shape.map((dim, axis) => progression(dim).map((i) => (i % x.shape[axis]) * steps[axis])),
      shape,
    )
  },
}

/** `x` repeated along one axis: what lies together is laid once, then doubled. */
function tiledAlong(x: NumericTensor, axis: number, times: number, shape: readonly number[]): Tensor {
  const run = sizeOf(x.shape.slice(axis))
  return filled(x.dtype, shape, (out) => {
    for (let from = 0, at = 0; at < out.length; from += run, at += times * run) {
      copyRun(x.data, from, run, out, at)
      for (let done = run; done < times * run; done *= 2)
        out.copyWithin(at + done, at, at + Math.min(done, times * run - done))
    }
  })
}

/** Pairs of how much comes before and after each dimension. */
function paddingsOf(call: Call, i: number, rank: number): [before: number, after: number][] {
  const { shape } = call.inputs[i]
  if (shape.length !== 2 || shape[1] !== 2) {
    throw new InvalidArgumentError(`paddings must be a matrix with 2 columns: [${shape}]`)
  }
  if (shape[0] !== rank) {
    throw new InvalidArgumentError(`The first dimension of paddings must be the rank of inputs [${shape}] [${rank}]`)
  }
  const all = integersOf(call.inputs[i], 'paddings')
  return progression(rank).map((axis) => {
    const [before, after] = all.slice(2 * axis, 2 * axis + 2)
    if (before >= 0 && after >= 0) return [before, after]
    throw new InvalidArgumentError(`Paddings must be non-negative: ${before} ${after}`)
  })
}

/** `x` with `fill` around it. */
function padded(x: Tensor, paddings: readonly (readonly [number, number])[], fill: Tensor): Tensor {
  const shape = x.shape.map((dim, axis) => paddings[axis][0] + dim + paddings[axis][1])
  const steps = stepsOf(shape)
  const lists = x.shape.map((dim, axis) => progression(dim, steps[axis], paddings[axis][0] * steps[axis]))
  if (isNumeric(x) && fill.dtype === x.dtype) {
    // With the last axis that is padded begins what lies together before and after.
    const last = paddings.findLastIndex(([before, after]) => before + after > 0)
    if (last < 0) return x
    const run = sizeOf(x.shape.slice(last))
    return filled(x.dtype, shape, (out) => {
      ;(out as NumberArray).fill(fill.data[0] as number)
      const first = lists[last].length === 0 ? 0 : lists[last][0]
      grid(lists.slice(0, last)).forEach((start, i) => {
        copyRun(x.data, i * run, run, out, start + first)
      })
    })
  }
  const targets = grid(lists)
  const sources = zeros('int32', sizeOf(shape)).fill(-1)
  for (let i = 0; i < targets.length; i++) sources[targets[i]] = i
  return take(x, sources, shape, fill)
}

/** The scalar that stands for nothing: zero, false or the empty string. */
function blank(x: Tensor): Tensor {
  if (x.dtype === 'resource' || x.dtype === 'variant') throw new TypeError(`a ${x.dtype} has no zero`)
  return take(x, [-1], [])
}

const pad: Op = {
  evaluate(call) {
    const [x, , value] = call.inputs
    if (value !== undefined && value.shape.length !== 0) {
      throw new InvalidArgumentError(`constant_values must be a scalar. Found: [${value.shape}]`)
    }
    return padded(x, paddingsOf(call, 1, x.shape.length), value ?? blank(x))
  },
}

/** REFLECT leaves the border out of the mirror image, SYMMETRIC repeats it. */
const mirrorPad: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const offset = call.attrs.string('mode') === 'REFLECT' ? 1 : 0
    const paddings = paddingsOf(call, 1, x.shape.length)
    const steps = stepsOf(x.shape)
    const lists = x.shape.map((dim, axis) => {
      const [before, after] = paddings[axis]
      if (before > dim - offset || after > dim - offset) {
        throw new InvalidArgumentError(
          `paddings must be ${offset ? 'less' : 'no greater'} than the dimension size: ${before}, ${after} vs. ${dim}`,
        )
      }
      const order = [
        ...progression(before, -1, before - 1 + offset),
        ...progression(dim),
        ...progression(after, -1, dim - 1 - offset),
      ]
      return order.map((i) => i * steps[axis])
    })
    return pick(
      x,
      lists,
      lists.map((list) => list.length),
    )
  },
}

/** Backwards along `axes`. */
function backwards(x: Tensor, axes: ReadonlySet<number>): Tensor {
  const steps = stepsOf(x.shape)
  const lists = x.shape.map((dim, axis) =>
    axes.has(axis) ? progression(dim, -steps[axis], (dim - 1) * steps[axis]) : progression(dim, steps[axis]),
  )
  return pick(x, lists, x.shape)
}

/** TensorFlow 1's op: a bool for each dimension. */
const reverse: Op = {
  evaluate({ inputs: [x, flags] }) {
    if (flags.dtype !== 'bool') throw new TypeError(`dims must be bool, got ${flags.dtype}`)
    if (flags.shape.length !== 1 || flags.shape[0] !== x.shape.length) {
      throw new InvalidArgumentError(`'dims' must have ${x.shape.length} elements, got shape [${flags.shape}]`)
    }
    const chosen = flags.data
    return backwards(x, new Set(x.shape.map((_, axis) => axis).filter((axis) => chosen[axis])))
  },
}

const reverseV2: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const axes = new Set<number>()
    for (const given of integerVector(call, 1, 'axis')) {
      const axis = axisOf(given, x.shape.length)
      if (axes.has(axis)) throw new InvalidArgumentError(`axis ${axis} specified more than once.`)
      axes.add(axis)
    }
    return backwards(x, axes)
  },
}

/** The first `seq_lengths[b]` elements along `seq_dim` backwards, for each b along `batch_dim`. */
const reverseSequence: Op = {
  evaluate(call) {
    const [x] = call.inputs
    const rank = x.shape.length
    const [sequence, batch] = [call.attrs.number('seq_dim'), call.attrs.number('batch_dim', 0)]
    const lengths = integerVector(call, 1, 'seq_lens')
    if (sequence === batch) throw new InvalidArgumentError(`batch_dim == seq_dim ${sequence}`)
    if (!(sequence >= 0 && sequence < rank && batch >= 0 && batch < rank)) {
      throw new InvalidArgumentError(`seq_dim ${sequence} and batch_dim ${batch} must be < input rank ( ${rank})`)
    }
    if (lengths.length !== x.shape[batch]) {
      throw new InvalidArgumentError(
        `Length of seq_lens != input.dims(${batch}) (${lengths.length} vs. ${x.shape[batch]})`,
      )
    }
    lengths.forEach((length, d) => {
      if (length < 0) throw new InvalidArgumentError(`seq_lens(${d}) < 0`)
      if (length > x.shape[sequence]) throw new InvalidArgumentError(`seq_lens(${d}) > input.dims(${sequence})`)
    })
    const steps = stepsOf(x.shape)
    const sources = zeros('int32', sizeOf(x.shape))
    for (let i = 0; i < sources.length; i++) {
      const at = Math.floor(i / steps[sequence]) % x.shape[sequence]
      const length = lengths[Math.floor(i / steps[batch]) % x.shape[batch]]
      sources[i] = at < length ? i + (length - 1 - 2 * at) * steps[sequence] : i
    }
    return take(x, sources, x.shape)
  },
}

const roll: Op = {
  evaluate({ inputs: [x, shift, axis] }) {
    if (x.shape.length === 0) throw new InvalidArgumentError('input must be 1-D or higher')
    if (shift.shape.length > 1 || axis.shape.length > 1 || sizeOf(shift.shape) !== sizeOf(axis.shape)) {
      throw new InvalidArgumentError(`shift and axis must have the same size, got [${shift.shape}] and [${axis.shape}]`)
    }
    const shifts = new Array<number>(x.shape.length).fill(0)
    const amounts = integersOf(shift, 'shift')
    integersOf(axis, 'axis').forEach((given, i) => {
      shifts[axisOf(given, x.shape.length)] += amounts[i]
    })
    const steps = stepsOf(x.shape)
    const modulo = (i: number, dim: number) => ((i % dim) + dim) % dim
    const lists = x.shape.map((dim, d) => progression(dim).map((i) => modulo(i - shifts[d], dim) * steps[d]))
    return pick(x, lists, x.shape)
  },
}

/** What SpaceToBatchND and BatchToSpaceND read: a block's size and what is padded or cropped, for the dimensions after the batch. */
function blocksOf(call: Call, what: string): { readonly block: number[]; readonly margins: [number, number][] } {
  const block = integerVector(call, 1, 'block_shape')
  const rank = call.inputs[0].shape.length
  if (rank < 1 + block.length) {
    throw new InvalidArgumentError(`input rank should be >= ${1 + block.length} instead of ${rank}`)
  }
  const small = block.findIndex((size) => size < 1)
  if (small >= 0) throw new InvalidArgumentError(`block_shape[${small}]: ${block[small]} must be positive`)
  const { shape } = call.inputs[2]
  if (shape.length !== 2 || shape[0] !== block.length || shape[1] !== 2) {
    throw new InvalidArgumentError(`${what} should have shape [${block.length}, 2] instead of [${shape}]`)
  }
  return { block, margins: paddingsOf(call, 2, block.length) }
}

/** Each position inside a block becomes a batch of its own: the first block dimension outermost, the old batch innermost. */
const spaceToBatch: Op = {
  evaluate(call) {
    const { block, margins } = blocksOf(call, 'paddings')
    const [input] = call.inputs
    const rest = input.shape.length - 1 - block.length
    const x = padded(input, [[0, 0], ...margins, ...new Array<[number, number]>(rest).fill([0, 0])], blank(input))
    const steps = stepsOf(x.shape)
    block.forEach((size, i) => {
      if (x.shape[i + 1] % size === 0) return
      throw new InvalidArgumentError(
        `padded_shape[${i}]=${x.shape[i + 1]} is not divisible by block_shape[${i}]=${size}`,
      )
    })
    const lists = [
      ...block.map((size, i) => progression(size, steps[i + 1])),
      progression(x.shape[0], steps[0]),
      ...block.map((size, i) => progression(x.shape[i + 1] / size, size * steps[i + 1])),
      ...progression(rest).map((i) => progression(x.shape[i + 1 + block.length], steps[i + 1 + block.length])),
    ]
    const spatial = block.map((size, i) => x.shape[i + 1] / size)
    return pick(x, lists, [x.shape[0] * sizeOf(block), ...spatial, ...x.shape.slice(1 + block.length)])
  },
}

/** The inverse of SpaceToBatchND, then `crops` off each dimension. */
const batchToSpace: Op = {
  evaluate(call) {
    const { block, margins } = blocksOf(call, 'crops')
    const [x] = call.inputs
    if (x.shape[0] % sizeOf(block) !== 0) {
      throw new InvalidArgumentError(
        `Input batch dimension (${x.shape[0]}) is not divisible by product of block sizes (${sizeOf(block)})`,
      )
    }
    const batch = x.shape[0] / sizeOf(block)
    const split = [...block, batch, ...x.shape.slice(1)]
    const steps = stepsOf(split)
    const inner = block.length + 1
    const lists = [
      progression(batch, steps[block.length]),
      ...block.map((size, i) => {
        const [before, after] = margins[i]
        const length = x.shape[i + 1] * size - before - after
        if (length < 0) {
          throw new InvalidArgumentError(`cropped_shape[${i}]=${length} must be non-negative`)
        }
        return progression(length, 1, before).map(
          (at) => (at % size) * steps[i] + Math.floor(at / size) * steps[inner + i],
        )
      }),
      ...x.shape.slice(inner).map((dim, i) => progression(dim, steps[inner + block.length + i])),
    ]
    return pick(
      x,
      lists,
      lists.map((list) => list.length),
    )
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Transpose: transpose,
  ConjugateTranspose: transpose,
  Tile: tile,
  Pad: pad,
  PadV2: pad,
  MirrorPad: mirrorPad,
  Reverse: reverse,
  ReverseV2: reverseV2,
  ReverseSequence: reverseSequence,
  Roll: roll,
  SpaceToBatchND: spaceToBatch,
  BatchToSpaceND: batchToSpace,
}
