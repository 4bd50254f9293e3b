import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  type ArrayDType,
  type BigArray,
  isBig,
  isFloat,
  isHalf,
  type NumberArray,
  sizeOf,
  type Tensor,
  type TypedArray,
  zeros,
} from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'
import type { Stepwise } from './halfreductions.ts'
import { integersOf } from './integers.ts'
import { grid, progression } from './layout.ts'

// Reductions after core/kernels/reduction_ops*.cc. Floats are accumulated in double and rounded once, integers wrap.

/** How elements of one dtype come together. `last` sees the number of elements behind a result. */
export interface Reduction<T extends number | bigint> {
  readonly initial: T
  next(so: T, x: T): T
  /** The total of integers is kept in full instead of wrapping. */
  readonly wide?: true
  last?(total: T, count: number): T
}

/** A reduction of a dtype; `big` is null for the dtypes whose elements are numbers. */
export interface Reducer {
  numbers(dtype: ArrayDType): Reduction<number>
  big?(dtype: ArrayDType): Reduction<bigint>
}

/** The axes of input 1, each counted from the front and given once. */
function axesOf(call: Call, rank: number): boolean[] {
  const reduced = new Array<boolean>(rank).fill(false)
  for (const given of integersOf(call.inputs[1], 'reduction_indices')) {
    const axis = given < 0 ? given + rank : given
    if (!(axis >= 0 && axis < rank)) {
      throw new InvalidArgumentError(`Invalid reduction dimension (${given} for input with ${rank} dimension(s)`)
    }
    if (reduced[axis]) {
      throw new InvalidArgumentError(`Invalid reduction arguments: Axes contains duplicate dimension: ${axis}`)
    }
    reduced[axis] = true
  }
  return reduced
}

/** Which axes of `x` are reduced, and the shape of the result. */
export function outline(call: Call, x: Tensor): { readonly reduced: boolean[]; readonly shape: number[] } {
  const reduced = axesOf(call, x.shape.length)
  const keep = call.attrs.boolean('keep_dims', false)
  const shape: number[] = []
  for (let axis = 0; axis < reduced.length; axis++) {
    if (!reduced[axis]) shape.push(x.shape[axis])
    else if (keep) shape.push(1)
  }
  return { reduced, shape }
}

const reduction = (reducer: Reducer): Op => ({
  evaluate(call) {
    const x = numeric(call, 0)
    const { reduced, shape } = outline(call, x)
    const path = pathOf(x.shape, reduced)
    if (!isBig(x.dtype)) return reduceNumbers(x, shape, path, reducer.numbers(x.dtype))
    if (reducer.big === undefined) throw new TypeError(`${x.dtype} is not a type of this op`)
    return reduceBig(x, shape, path, reducer.big(x.dtype))
  },
})

/**
 * The way of a reduction through its input: runs of `length` elements that lie together, the i-th of them from element
 * `length` · i on. A run goes into the one result `targets[i]`, or element by element into those from `targets[i]` on.
 */
interface Path {
  readonly targets: Int32Array
  readonly length: number
  /** 0 where a run is reduced, 1 where it is kept. */
  readonly step: 0 | 1
  /** How many elements come together in a result. */
  readonly count: number
}

function pathOf(shape: readonly number[], reduced: readonly boolean[]): Path {
  const rank = shape.length
  const innermost = rank === 0 ? false : reduced[rank - 1]
  let outer = rank
  let length = 1
  while (outer > 0 && reduced[outer - 1] === innermost) length *= shape[--outer]
  const lists = new Array<number[]>(outer)
  let step = innermost ? 1 : length
  let count = innermost ? length : 1
  for (let axis = outer - 1; axis >= 0; axis--) {
    lists[axis] = progression(shape[axis], reduced[axis] ? 0 : step)
    if (reduced[axis]) count *= shape[axis]
    else step *= shape[axis]
  }
  const targets = grid(lists)
  return { targets, length, step: innermost ? 0 : 1, count }
}

function reduceNumbers(
  x: NumericTensor,
  shape: readonly number[],
  path: Path,
  { initial, next, last, wide }: Reduction<number>,
): Tensor {
  const { targets, length, step, count } = path
  // An accumulator of the integer's own type wraps as the type does.
  const totals = zeros(wide || isFloat(x.dtype) ? 'float64' : x.dtype, sizeOf(shape)) as NumberArray
  if (initial !== 0) totals.fill(initial)
  const data = x.data as NumberArray
  if (next === add && data instanceof Float32Array) sumFloats(data, path, totals as Float64Array)
  else {
    for (let run = 0, i = 0; run < targets.length; run++) {
      let at = targets[run]
      for (const end = i + length; i < end; i++, at += step) totals[at] = next(totals[at], data[i])
    }
  }
  if (last !== undefined) for (let i = 0; i < totals.length; i++) totals[i] = last(totals[i], count)
  // A store into the dtype's own array rounds or cuts.
  return filled(x.dtype, shape, (out) => (out as NumberArray).set(totals))
}

/** The sums of the loop above in the one case that towers are full of: norms, means and pooled embeddings. */
function sumFloats(data: Float32Array, { targets, length, step }: Path, totals: Float64Array): void {
  for (let run = 0, i = 0; run < targets.length; run++) {
    const at = targets[run]
    const end = i + length
    if (step === 0) {
      let total = totals[at]
      for (; i < end; i++) total += data[i]
      totals[at] = total
    } else for (let to = at; i < end; i++, to++) totals[to] += data[i]
  }
}

function reduceBig(
  x: NumericTensor,
  shape: readonly number[],
  { targets, length, step, count }: Path,
  { initial, next, last }: Reduction<bigint>,
): Tensor {
  const data = x.data as BigArray
  return filled(x.dtype, shape, (filling) => {
    const out = filling as BigArray
    out.fill(initial)
    for (let run = 0, i = 0; run < targets.length; run++) {
      let at = targets[run]
      for (const end = i + length; i < end; i++, at += step) out[at] = next(out[at], data[i])
    }
    if (last !== undefined) for (let i = 0; i < out.length; i++) out[i] = last(out[i], count)
  })
}

/** The smallest and the largest number of `dtype`; of floats the infinities. */
export function limits(dtype: ArrayDType): readonly [lowest: number | bigint, highest: number | bigint] {
  if (isFloat(dtype)) return [-Infinity, Infinity]
  const ends = zeros(dtype, 2) as TypedArray
  const bits = BigInt(8 * ends.BYTES_PER_ELEMENT)
  const unsigned = dtype.startsWith('u')
  const [lowest, highest] = unsigned ? [0n, 2n ** bits - 1n] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
  return isBig(dtype) ? [lowest, highest] : [Number(lowest), Number(highest)]
}

const add = (a: number, b: number): number => a + b
const addBig = (a: bigint, b: bigint): bigint => a + b
const multiply = (a: number, b: number): number => a * b

const sum: Reducer = {
  numbers: () => ({ initial: 0, next: add }),
  big: () => ({ initial: 0n, next: addBig }),
}

const product: Reducer = {
  numbers: (dtype) => ({ initial: 1, next: isFloat(dtype) ? multiply : Math.imul }),
  big: () => ({ initial: 1n, next: (a, b) => a * b }),
}

/** The mean of integers up to 32 bits does not wrap, and is cut towards zero; of no integers it is 0, of no floats NaN. */
const mean: Reducer = {
  numbers: (dtype) => ({
    initial: 0,
    next: add,
    wide: true,
    last: (total, count) => (isFloat(dtype) ? total / count : count === 0 ? 0 : Math.trunc(total / count)),
  }),
  big: () => ({ initial: 0n, next: addBig, last: (total, count) => (count === 0 ? 0n : total / BigInt(count)) }),
}

/** NaN wins. Of nothing the answer is the lowest number there is. */
const maximum: Reducer = {
  numbers: (dtype) => ({
    initial: Number(limits(dtype)[0]),
    next: (a, b) => (b > a || Number.isNaN(b) ? b : a),
  }),
  big: (dtype) => ({ initial: BigInt(limits(dtype)[0]), next: (a, b) => (b > a ? b : a) }),
}
const minimum: Reducer = {
  numbers: (dtype) => ({
    initial: Number(limits(dtype)[1]),
    next: (a, b) => (b < a || Number.isNaN(b) ? b : a),
  }),
  big: (dtype) => ({ initial: BigInt(limits(dtype)[1]), next: (a, b) => (b < a ? b : a) }),
}

const all: Reducer = { numbers: () => ({ initial: 1, next: (a, b) => a & b }) }
const any: Reducer = { numbers: () => ({ initial: 0, next: (a, b) => a | b }) }

/** What reduces half floats, which are rounded after each step: loaded for the models that hold some. */
let halves: typeof import('./halfreductions.ts').reduceHalves

/** A reduction whose half floats are rounded after each step. */
export const stepwise = (name: Stepwise, reducer: Reducer): Op => {
  const { evaluate } = reduction(reducer)
  return {
    prepare: (attrs) =>
      attrs && !isHalf(attrs.dtype('T'))
        ? undefined
        : import('./halfreductions.ts').then(({ reduceHalves }) => {
            halves = reduceHalves
          }),
    evaluate: (call) => (isHalf(call.inputs[0].dtype) && halves(name, call)) || evaluate(call),
  }
}

/** Only bool is reduced by All and Any. */
const logical = (reducer: Reducer): Op => {
  const op = reduction(reducer)
  return {
    evaluate(call) {
      if (call.inputs[0].dtype !== 'bool') throw new TypeError(`input 0 must be bool, got ${call.inputs[0].dtype}`)
      return op.evaluate(call)
    },
  }
}

export const ops: Readonly<Record<string, Op>> = {
  Sum: stepwise('Sum', sum),
  Prod: stepwise('Prod', product),
  Mean: stepwise('Mean', mean),
  Max: reduction(maximum),
  Min: reduction(minimum),
  All: logical(all),
  Any: logical(any),
}
