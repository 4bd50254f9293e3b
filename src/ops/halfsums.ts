import { type DType, fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../tensor/index.ts'

// What Eigen makes of many half floats on x86, where it rounds after each step, so that the order of the steps shows:
// unsupported/Eigen/CXX11/src/Tensor/TensorReduction.h.

/** Lanes of Eigen's packet of half floats. */
export const LANES = 8
/** Packets that it takes side by side. */
const SIDE = 4
/** Packets up to which a sum is not halved. */
const LEAF: Readonly<Partial<Record<DType, number>>> = { float16: 200, bfloat16: 128 }

/** Rows from which on four of them are side by side. */
const TALL = 16

/** How half floats come together: Eigen's SumReducer, ProdReducer and MeanReducer. */
export interface HalfReducer {
  readonly initial: number
  join(a: number, b: number): number
  round(x: number): number
  /** Elements up to which a run is not halved. */
  readonly most: number
  /** Rows from which on four of them are taken side by side. */
  readonly tall: number
}

/** Rounds to half float `dtype`; null for every other type. */
export function halfRounding(dtype: DType): ((x: number) => number) | null {
  if (dtype === 'float16') return (x) => fromFloat16(toFloat16(x))
  if (dtype === 'bfloat16') return (x) => fromBfloat16(toBfloat16(x))
  return null
}

/** Sums of `dtype`, which are halved where they are long. */
export const halfSum = (dtype: DType, round: (x: number) => number): HalfReducer => ({
  initial: 0,
  join: (a, b) => a + b,
  round,
  most: LANES * (LEAF[dtype] ?? Infinity),
  tall: TALL,
})

/** Products, which are not. */
export const halfProduct = (round: (x: number) => number): HalfReducer => ({
  initial: 1,
  join: (a, b) => a * b,
  round,
  most: Infinity,
  tall: TALL,
})

/** What the first eight of `lanes` come to, in float32: predux of a packet of half floats. */
export function acrossLanes(lanes: Float32Array, join: HalfReducer['join']): number {
  const half = Array.from({ length: LANES / 2 }, (_, i) => Math.fround(join(lanes[i], lanes[i + LANES / 2])))
  return Math.fround(join(Math.fround(join(half[0], half[2])), Math.fround(join(half[1], half[3]))))
}

/**
 * The elements `start … end` of `values`, which lie together, as InnerMostDimReducer takes them: a run that is too long is halved,
 * at a packet of the whole tensor; else four packets side by side, then these one to the other, then what packets are left, each
 * step rounded; the eight of the last packet in float32; and the elements past the packets, before those are added.
 */
export function reduceRun(values: Float32Array, start: number, end: number, reducer: HalfReducer): number {
  const { initial, join, round, most } = reducer
  const length = end - start
  if (length > most) {
    const middle = LANES * Math.ceil((start + Math.ceil(length / 2)) / LANES)
    return round(join(reduceRun(values, start, middle, reducer), reduceRun(values, middle, end, reducer)))
  }
  const whole = end - (length % LANES)
  const unrolled = end - (length % (SIDE * LANES))
  const packets = new Float32Array(SIDE * LANES).fill(initial)
  for (let i = start; i < unrolled; i++) {
    const at = (i - start) % packets.length
    packets[at] = round(join(packets[at], values[i]))
  }
  for (let i = LANES; i < packets.length; i++) packets[i % LANES] = round(join(packets[i % LANES], packets[i]))
  for (let i = unrolled; i < whole; i++) {
    const at = (i - start) % LANES
    packets[at] = round(join(packets[at], values[i]))
  }
  let rest = initial
  for (let i = whole; i < end; i++) rest = round(join(rest, values[i]))
  if (whole === start) return rest
  return round(join(rest, round(acrossLanes(packets, join))))
}
