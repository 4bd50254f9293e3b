// Rows of floats as integers 0 … 127, each row with a scale and a zero of its own: x · factors ≈ scale · (q − zero).
import { loadTail, splat } from './lanes'

/** Elements of q are written eight at a time; those past k meet zeros of W. */
const STEP: usize = 8
/** The largest q: seven bits, all that `relaxed_dot_i8x16_i7x16` takes with a defined result. */
const MOST: f32 = 127
/** A row of less range counts as zeros: its inverse would not be finite. */
const LEAST: f32 = 1e-30
/** 1.5 · 2^23, so large a float that adding it rounds to an integer, half to even, in its low bits. */
const ROUNDING: f32 = 12582912
/** A rounding error of one twelfth an element is 2 % of what the elements come to: 1 / (12 · 0.02²). */
const COARSE = 208
/** The errors of a coarse row, −½ … ½, in integers about the middle. */
const ERRORS: f32 = 126
export const MIDDLE: i32 = 63

/** Bytes of an element of q: the relaxed build multiplies bytes, the baseline 16-bit integers. */
const WIDTH: usize = ASC_FEATURE_RELAXED_SIMD ? 1 : 2
const STEP_BYTES: usize = STEP * WIDTH

/** Bytes of a row of q. */
// @ts-ignore: decorator
@inline
export function rowBytes(padded: i32): usize {
  return <usize>padded * WIDTH
}

/**
 * q[rows × k padded to a multiple of 8], scales[rows], zeros[rows] (i32) and coarse[rows] of x[rows × k].
 *
 * With v = x · factors, lo = min(v, 0) and hi = max(v, 0) over the row, and f = 127 / (hi − lo): scale = (hi − lo) / 127,
 * zero = rint(−lo · f) and q = min(rint(v · f + zero), 127), each operation but the last sum rounded to float32. So what
 * relu made has all seven bits above zero, and zero is always exact. A row with NaN or an infinity, or whose range is one,
 * has the scale NaN.
 *
 * `coarse` is f for a row that seven bits are too few for, else 0: where Σ (q − zero)² < 208 · the number of v · f that
 * are not 0, one element being so large that the rounding of the others is 2 % of them all. Of such a row the errors count
 * too: `quantizeErrors`.
 */
export function quantize(
  q: usize, scales: usize, zeros: usize, coarse: usize, x: usize, factors: usize, rows: i32, k: i32,
): void {
  for (; rows > 0; rows--, scales += 4, zeros += 4, coarse += 4) {
    const ends = range(x, factors, k)
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
    const f = splat(inverse)
    const shift = splat(ROUNDING + zero)
    // ROUNDING again, which as a constant would be read at each use.
    const base = f32x4.sub(shift, splat(zero))
    const origin = i16x8.splat(<i16>zero)
    const none = splat(0)
    let squares = none
    let p = x
    let g = factors
    let i = k
    for (; i >= 8; i -= 8, q += STEP_BYTES, p += 32, g += 32) {
      const low = f32x4.mul(f32x4.mul(v128.load(p), v128.load(g)), f)
      const high = f32x4.mul(f32x4.mul(v128.load(p, 16), v128.load(g, 16)), f)
      const d = i16x8.sub(put(q, f32x4.add(low, shift), f32x4.add(high, shift), base), origin)
      squares = i32x4.add(squares, i32x4.dot_i16x8_s(d, d))
    }
    if (i > 0) {
      const low = f32x4.mul(load(p, g, i), f)
      const high = f32x4.mul(load(p + 16, g + 16, i - 4), f)
      const d = i16x8.sub(put(q, f32x4.add(low, shift), f32x4.add(high, shift), base), origin)
      squares = i32x4.add(squares, i32x4.dot_i16x8_s(d, d))
      q += STEP_BYTES
    }
    // No more than k elements count: of most rows that is all that need be known.
    const sum = total(squares)
    store<f32>(coarse, sum < COARSE * k && sum < COARSE * nonzeros(x, factors, k, f) ? inverse : 0)
    x += <usize>k << 2
  }
}

/** How many of k products with their factors and `f` are not 0. */
function nonzeros(x: usize, factors: usize, k: i32, f: v128): i32 {
  const none = splat(0)
  // Minus one for each, as comparisons say true.
  let count = none
  for (; k > 0; k -= 4, x += 16, factors += 16)
    count = i32x4.add(count, f32x4.ne(f32x4.mul(load(x, factors, k), f), none))
  return -total(count)
}

/**
 * What rounding took from a row of x, as integers again: v · f − (q − zero) = (errors − 63) / 126, cut at 127. `zero` and
 * `f` are those of `quantize`.
 */
export function quantizeErrors(errors: usize, x: usize, factors: usize, k: i32, zero: i32, f: f32): void {
  const factor = splat(f)
  const shift = splat(ROUNDING + <f32>zero)
  const most = splat(MOST - <f32>zero)
  const finer = splat(ERRORS)
  const middle = splat(ROUNDING + <f32>MIDDLE)
  for (let i = k; i > 0; i -= 8, errors += STEP_BYTES, x += 32, factors += 32) {
    const low = f32x4.mul(load(x, factors, i), factor)
    const high = f32x4.mul(load(x + 16, factors + 16, i - 4), factor)
    const a = f32x4.sub(low, f32x4.pmin(f32x4.sub(f32x4.add(low, shift), shift), most))
    const b = f32x4.sub(high, f32x4.pmin(f32x4.sub(f32x4.add(high, shift), shift), most))
    put(errors, f32x4.add(f32x4.mul(a, finer), middle), f32x4.add(f32x4.mul(b, finer), middle), splat(ROUNDING))
  }
}

/** The first four of `rest` elements, zeros past them, times their factors. */
// @ts-ignore: decorator
@inline
function load(x: usize, factors: usize, rest: i32): v128 {
  if (rest >= 4) return f32x4.mul(v128.load(x), v128.load(factors))
  if (rest <= 0) return splat(0)
  return f32x4.mul(loadTail(x, rest, splat(0)), loadTail(factors, rest, splat(0)))
}

/** The low bits of eight floats that hold an integer in them, cut at 127; returned as i16. */
// @ts-ignore: decorator
@inline
function put(q: usize, low: v128, high: v128, base: v128): v128 {
  const both = i16x8.min_s(i16x8.narrow_i32x4_s(i32x4.sub(low, base), i32x4.sub(high, base)), i16x8.splat(127))
  if (ASC_FEATURE_RELAXED_SIMD) v128.store64_lane(q, i8x16.narrow_i16x8_s(both, both), 0)
  else v128.store(q, both)
  return both
}

// @ts-ignore: decorator
@inline
function total(v: v128): i32 {
  const pair = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1))
  return i32x4.extract_lane(pair, 0) + i32x4.extract_lane(pair, 1)
}

/** In lanes 0 and 1 the least and the greatest of 0 and k floats times their factors; NaN one of them where one is NaN. */
// @ts-ignore: decorator
@inline
function range(x: usize, factors: usize, k: i32): v128 {
  // As integers the bits of floats of one sign have the order of their sizes, NaN past infinity. Signed, all below zero
  // are less than 0; unsigned, all below zero are more than the others, so that without one the result is no negative.
  let lo = splat(0), hi = lo, lo1 = lo, hi1 = lo
  for (; k >= 8; k -= 8, x += 32, factors += 32) {
    const v = f32x4.mul(v128.load(x), v128.load(factors))
    const w = f32x4.mul(v128.load(x, 16), v128.load(factors, 16))
    lo = i32x4.max_u(lo, v)
    lo1 = i32x4.max_u(lo1, w)
    hi = i32x4.max_s(hi, v)
    hi1 = i32x4.max_s(hi1, w)
  }
  for (; k > 0; k -= 4, x += 16, factors += 16) {
    const v = load(x, factors, k)
    lo = i32x4.max_u(lo, v)
    hi = i32x4.max_s(hi, v)
  }
  lo = i32x4.max_u(lo, lo1)
  hi = i32x4.max_s(hi, hi1)
  lo = i32x4.max_u(lo, v128.shuffle<i32>(lo, lo, 2, 3, 0, 1))
  hi = i32x4.max_s(hi, v128.shuffle<i32>(hi, hi, 2, 3, 0, 1))
  const least = i32x4.max_u(lo, v128.shuffle<i32>(lo, lo, 1, 0, 3, 2))
  const greatest = i32x4.max_s(hi, v128.shuffle<i32>(hi, hi, 1, 0, 3, 2))
  return v128.shuffle<i32>(v128.and(least, i32x4.shr_s(least, 31)), greatest, 0, 4, 1, 5)
}
