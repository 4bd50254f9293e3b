// Rows of floats as integers 0 … 127, each row with a scale and a zero of its own: x ≈ scale · (q − zero).
import { loadTail, splat } from './lanes'

/** Elements of q are written eight at a time; those past k meet zeros of W. */
const STEP: usize = 8
/** The largest q: seven bits, all that `relaxed_dot_i8x16_i7x16` takes with a defined result. */
const MOST: f32 = 127
/** A row of less range counts as zeros: its inverse would not be finite. */
const LEAST: f32 = 1e-30
/** 1.5 · 2^23, so large a float that adding it rounds to an integer, half to even, in its low bits. */
const ROUNDING: f32 = 12582912
const ROUNDING_BITS = 0x4b400000

/** Bytes of an element of q: the relaxed build multiplies bytes, the baseline 16-bit integers. */
export const WIDTH: usize = ASC_FEATURE_RELAXED_SIMD ? 1 : 2
const STEP_BYTES: usize = STEP * WIDTH

/**
 * q[rows × k padded to a multiple of 8], scales[rows] and zeros[rows] (i32) of x[rows × k].
 *
 * With lo = min(row, 0), hi = max(row, 0) and f = 127 / (hi − lo): scale = (hi − lo) / 127, zero = rint(−lo · f) and
 * q = min(rint(x · f + zero), 127), each operation but the last sum rounded to float32. So what relu made has all seven
 * bits above zero, and zero is always exact. A row with NaN or an infinity, or whose range is one, has the scale NaN.
 * Whatever x is, 8 elements take 20 instructions in each of two passes: 3 to 6 % of a layer of 256 columns.
 */
export function quantize(q: usize, scales: usize, zeros: usize, x: usize, rows: i32, k: i32): void {
  for (; rows > 0; rows--, scales += 4, zeros += 4) {
    const ends = range(x, k)
    const lo = f32x4.extract_lane(ends, 0)
    const width = f32x4.extract_lane(ends, 1) - lo
    let scale: f32 = width < LEAST ? 0 : NaN
    let inverse: f32 = 0
    let zero: f32 = 0
    if (width >= LEAST && width < Infinity) {
      scale = width / MOST
      inverse = MOST / width
      zero = nearest(-lo * inverse)
    }
    store<f32>(scales, scale)
    store<i32>(zeros, <i32>zero)
    const factor = splat(inverse)
    const shift = splat(ROUNDING + zero)
    let i = k
    for (; i >= 8; i -= 8, x += 32, q += STEP_BYTES)
      put(q, round(v128.load(x), factor, shift), round(v128.load(x, 16), factor, shift))
    if (i > 0) {
      const none = splat(0)
      const low = i >= 4 ? v128.load(x) : loadTail(x, i, none)
      const high = i > 4 ? loadTail(x + 16, i - 4, none) : none
      put(q, round(low, factor, shift), round(high, factor, shift))
      x += <usize>i << 2
      q += STEP_BYTES
    }
  }
}

// @ts-ignore: decorator
@inline
function round(x: v128, factor: v128, shift: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, factor), shift), i32x4.splat(ROUNDING_BITS))
}

/** Eight integers, cut at 127. */
// @ts-ignore: decorator
@inline
function put(q: usize, low: v128, high: v128): void {
  const both = i16x8.narrow_i32x4_s(low, high)
  if (ASC_FEATURE_RELAXED_SIMD) v128.store64_lane(q, i8x16.narrow_i16x8_s(both, both), 0)
  else v128.store(q, i16x8.min_s(both, i16x8.splat(127)))
}

/** In lanes 0 and 1 the least and the greatest of 0 and k floats; NaN both where one is NaN or infinite. */
// @ts-ignore: decorator
@inline
function range(x: usize, k: i32): v128 {
  const none = splat(0)
  let lo = none, hi = none, bad = none
  let lo1 = none, hi1 = none, bad1 = none
  for (; k >= 8; k -= 8, x += 32) {
    // pmin and pmax are one instruction and pass over NaN, which x − x shows.
    const v = v128.load(x), w = v128.load(x, 16)
    lo = f32x4.pmin(lo, v)
    lo1 = f32x4.pmin(lo1, w)
    hi = f32x4.pmax(hi, v)
    hi1 = f32x4.pmax(hi1, w)
    bad = f32x4.add(bad, f32x4.sub(v, v))
    bad1 = f32x4.add(bad1, f32x4.sub(w, w))
  }
  for (; k > 0; k -= 4, x += 16) {
    const v = k >= 4 ? v128.load(x) : loadTail(x, k, none)
    lo = f32x4.pmin(lo, v)
    hi = f32x4.pmax(hi, v)
    bad = f32x4.add(bad, f32x4.sub(v, v))
  }
  lo = f32x4.pmin(lo, lo1)
  hi = f32x4.pmax(hi, hi1)
  bad = f32x4.add(bad, bad1)
  const halfLo = f32x4.pmin(lo, v128.shuffle<f32>(lo, lo, 2, 3, 0, 1))
  const halfHi = f32x4.pmax(hi, v128.shuffle<f32>(hi, hi, 2, 3, 0, 1))
  const least = f32x4.pmin(halfLo, v128.shuffle<f32>(halfLo, halfLo, 1, 0, 3, 2))
  const greatest = f32x4.pmax(halfHi, v128.shuffle<f32>(halfHi, halfHi, 1, 0, 3, 2))
  const halfBad = f32x4.add(bad, v128.shuffle<f32>(bad, bad, 2, 3, 0, 1))
  const any = f32x4.add(halfBad, v128.shuffle<f32>(halfBad, halfBad, 1, 0, 3, 2))
  return f32x4.add(v128.shuffle<f32>(least, greatest, 0, 4, 1, 5), any)
}
