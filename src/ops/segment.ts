import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import {
  type ArrayDType,
  type BigArray,
  isBig,
  isFloat,
  type NumberArray,
  sameShape,
  sizeOf,
  type Tensor,
  type TypedArray,
  zeros,
} from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'
import { position } from './gather.ts'
import { reduceColumns } from './halfreductions.ts'
import { halfProduct, halfRounding, halfSum } from './halfsums.ts'
import { integer, integersOf } from './integers.ts'
import { limits } from './reduce.ts'

// Reductions of rows by their segment, after core/kernels/segment_reduction_ops_impl.h.

interface Reducer {
  numbers(a: number, b: number): number
  bigs(a: bigint, b: bigint): bigint
  /** For integers of up to 32 bits, where it is not `numbers`. */
  integers?(a: number, b: number): number
  /** The same of floats in a packet of Eigen's, from `start` on: a NaN is passed over. */
  readonly packed?: { readonly start: number; next(a: number, b: number): number }
  /** Divides the total by the number of rows. */
  readonly mean?: true
}

/** Floats in a packet of Eigen's; halves are eight too. */
const LANES: Partial<Record<ArrayDType, number>> = { float64: 4 }

/**
 * Row i of `data` (`inner` elements) into row ids[i] of the result; a negative id is dropped. A segment without rows is
 * `empty`, and one with rows begins with that, or where `isSorted` with its first row.
 */
function reduced(
  data: NumericTensor,
  ids: readonly number[],
  shape: readonly number[],
  empty: number | bigint,
  { numbers, bigs, integers = numbers, packed, mean }: Reducer,
  isSorted: boolean,
): Tensor {
  const inner = sizeOf(shape.slice(1))
  const rows = new Uint32Array(shape[0])
  const total = zeros(isFloat(data.dtype) ? 'float64' : data.dtype, sizeOf(shape)) as TypedArray
  if (!isSorted) {
    if (isBig(data.dtype)) (total as BigArray).fill(BigInt(empty))
    else (total as NumberArray).fill(Number(empty))
  }
  const round = halfRounding(data.dtype)
  const plain = isFloat(data.dtype) ? numbers : integers
  const next: typeof plain = round === null ? plain : (a, b) => round(plain(a, b))
  const together = isSorted && packed && isFloat(data.dtype) ? inner - (inner % (LANES[data.dtype] ?? 8)) : 0
  ids.forEach((id, i) => {
    if (id < 0) return
    const before = rows[id]++
    for (let j = 0; j < inner; j++) {
      const [to, x] = [id * inner + j, data.data[i * inner + j]]
      if (isSorted && before === 0) total[to] = x
      else if (typeof x === 'bigint') total[to] = bigs(total[to] as bigint, x)
      else if (packed && j < together) {
        const so = total[to] as number
        total[to] = packed.next(before === 1 ? packed.next(packed.start, so) : so, x)
      } else total[to] = next(total[to] as number, x)
    }
  })
  return filled(data.dtype, shape, (out) => {
    for (let i = 0; i < out.length; i++) {
      const count = rows[Math.floor(i / inner)]
      if (count === 0) out[i] = empty
      else if (!mean) out[i] = total[i]
      else if (isBig(data.dtype)) out[i] = (total as BigArray)[i] / BigInt(count)
      else
        out[i] = isFloat(data.dtype) ? (total as NumberArray)[i] / count : Math.trunc((total as NumberArray)[i] / count)
    }
  })
}

/** The same of half floats whose ids ascend, which are rounded after each step in Eigen's order; a mean's sums have no sides. */
function reducedHalves(
  data: NumericTensor,
  ids: readonly number[],
  shape: readonly number[],
  empty: number,
  { numbers, mean }: Reducer,
  round: (x: number) => number,
): Tensor {
  const inner = sizeOf(shape.slice(1))
  const values = data.data as Float32Array
  const steps = numbers === PROD.numbers ? halfProduct(round) : halfSum(data.dtype, round)
  const reducer = mean ? { ...steps, tall: Infinity } : steps
  return filled(data.dtype, shape, (filling) => {
    const out = (filling as Float32Array).fill(empty)
    for (let start = 0, end = 1; start < ids.length; start = end++) {
      while (ids[end] === ids[start]) end++
      const segment = out.subarray(ids[start] * inner, (ids[start] + 1) * inner)
      const rows = values.subarray(start * inner, end * inner)
      if (end - start === 1) segment.set(rows)
      else reduceColumns(segment, rows, end - start, inner, reducer)
      if (mean) for (let i = 0; i < inner; i++) segment[i] /= round(end - start)
    }
  })
}

/** The ids ascend and say how many segments there are; one that none names is `empty`. */
const sorted = (reducer: Reducer, empty: number): Op => ({
  evaluate(call) {
    const data = numeric(call, 0)
    const [, segments] = call.inputs
    if (data.shape.length === 0) throw new InvalidArgumentError('data should be at least a vector')
    if (segments.shape.length !== 1) throw new InvalidArgumentError('segment_ids should be a vector.')
    if (segments.shape[0] !== data.shape[0]) {
      throw new InvalidArgumentError('segment_ids should be the same size as dimension 0 of input.')
    }
    const ids = integersOf(segments, 'segment_ids')
    ids.forEach((id, i) => {
      if (id < 0) throw new InvalidArgumentError('segment ids must be >= 0')
      if (i > 0 && id < ids[i - 1]) throw new InvalidArgumentError('segment ids are not increasing')
    })
    const count = ids.length === 0 ? 0 : ids[ids.length - 1] + 1
    const shape = [count, ...data.shape.slice(1)]
    const round = reducer === SUM || reducer === MEAN || reducer === PROD ? halfRounding(data.dtype) : null
    if (round !== null) return reducedHalves(data, ids, shape, empty, reducer, round)
    return reduced(data, ids, shape, isBig(data.dtype) ? BigInt(empty) : empty, reducer, true)
  },
})

/** Any id below `num_segments`; a negative one is dropped. The ids may have several of the data's first dimensions. */
const unsorted = (reducer: Reducer, emptyOf: (dtype: ArrayDType) => number | bigint): Op => ({
  evaluate(call) {
    const data = numeric(call, 0)
    const [, segments] = call.inputs
    const count = integer(call, 2, 'num_segments')
    const rank = segments.shape.length
    if (count < 0) throw new InvalidArgumentError(`Input num_segments == ${count} must not be negative.`)
    if (!sameShape(data.shape.slice(0, rank), segments.shape)) {
      throw new InvalidArgumentError(
        `data.shape = [${data.shape}] does not start with segment_ids.shape = [${segments.shape}]`,
      )
    }
    const ids = integersOf(segments, 'segment_ids')
    // Where there is nothing to add TensorFlow does not look where to.
    const bad = data.data.length === 0 ? -1 : ids.findIndex((id) => id >= count)
    if (bad >= 0) {
      throw new InvalidArgumentError(
        `segment_ids${position(segments.shape, bad)} = ${ids[bad]} is out of range [0, ${count})`,
      )
    }
    return reduced(data, ids, [count, ...data.shape.slice(rank)], emptyOf(data.dtype), reducer, false)
  },
})

const SUM: Reducer = { numbers: (a, b) => a + b, bigs: (a, b) => a + b }
const MEAN: Reducer = { ...SUM, mean: true }
const PROD: Reducer = { numbers: (a, b) => a * b, integers: Math.imul, bigs: (a, b) => a * b }
/** Where one is NaN the later one stays, as x86's maxps has it, but in packets, which give it their numbers the other way round. */
const MAX: Reducer = {
  numbers: (a, b) => (a > b ? a : b),
  bigs: (a, b) => (a > b ? a : b),
  packed: { start: -Infinity, next: (a, b) => (b > a ? b : a) },
}
const MIN: Reducer = {
  numbers: (a, b) => (a < b ? a : b),
  bigs: (a, b) => (a < b ? a : b),
  packed: { start: Infinity, next: (a, b) => (b < a ? b : a) },
}

const number = (value: number) => (dtype: ArrayDType) => (isBig(dtype) ? BigInt(value) : value)

/** The largest finite value of each float type: what an empty segment's minimum is, and its negative the maximum. */
const FINITE: Partial<Record<ArrayDType, number>> = {
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
}
const highest = (dtype: ArrayDType) => FINITE[dtype] ?? limits(dtype)[1]
/** The smallest finite value of each type. */
export const lowest = (dtype: ArrayDType) => (isFloat(dtype) ? -Number(highest(dtype)) : limits(dtype)[0])

export const ops: Readonly<Record<string, Op>> = {
  SegmentSum: sorted(SUM, 0),
  SegmentMean: sorted(MEAN, 0),
  SegmentProd: sorted(PROD, 1),
  SegmentMax: sorted(MAX, 0),
  SegmentMin: sorted(MIN, 0),
  UnsortedSegmentSum: unsorted(SUM, number(0)),
  UnsortedSegmentProd: unsorted(PROD, number(1)),
  UnsortedSegmentMax: unsorted(MAX, lowest),
  UnsortedSegmentMin: unsorted(MIN, highest),
}
