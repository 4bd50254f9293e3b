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
const ROUNDING_BITS = 0x4b400000
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
    const origin = i16x8.splat(<i16>zero)
    const none = splat(0)
    let squares = none
    // Minus one for each, as comparisons say true.
    let count = none
    let p = x
    let g = factors
    let i = k
    for (; i >= 8; i -= 8, q += STEP_BYTES, p += 32, g += 32) {
      const low = f32x4.mul(f32x4.mul(v128.load(p), v128.load(g)), f)
      const high = f32x4.mul(f32x4.mul(v128.load(p, 16), v128.load(g, 16)), f)
      const d = i16x8.sub(put(q, f32x4.add(low, shift), f32x4.add(high, shift)), origin)
      squares = i32x4.add(squares, i32x4.dot_i16x8_s(d, d))
      count = i32x4.add(count, i32x4.add(f32x4.ne(low, none), f32x4.ne(high, none)))
    }
    if (i > 0) {
      const low = f32x4.mul(load(p, g, i), f)
      const high = f32x4.mul(load(p + 16, g + 16, i - 4), f)
      const d = i16x8.sub(put(q, f32x4.add(low, shift), f32x4.add(high, shift)), origin)
      squares = i32x4.add(squares, i32x4.dot_i16x8_s(d, d))
      count = i32x4.add(count, i32x4.add(f32x4.ne(low, none), f32x4.ne(high, none)))
      q += STEP_BYTES
    }
    x += <usize>k << 2
    store<f32>(coarse, total(squares) < -COARSE * total(count) ? inverse : 0)
  }
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
    put(errors, f32x4.add(f32x4.mul(a, finer), middle), f32x4.add(f32x4.mul(b, finer), middle))
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
function put(q: usize, low: v128, high: v128): v128 {
  const base = i32x4.splat(ROUNDING_BITS)
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

/** In lanes 0 and 1 the least and the greatest of 0 and k floats times their factors; NaN both where one is not finite. */
// @ts-ignore: decorator
@inline
function range(x: usize, factors: usize, k: i32): v128 {
  const none = splat(0)
  let lo = none, hi = none, bad = none
  let lo1 = none, hi1 = none, bad1 = none
  for (; k >= 8; k -= 8, x += 32, factors += 32) {
    // pmin and pmax are one instruction and pass over NaN, which v − v shows.
    const v = f32x4.mul(v128.load(x), v128.load(factors))
    const w = f32x4.mul(v128.load(x, 16), v128.load(factors, 16))
    lo = f32x4.pmin(lo, v)
    lo1 = f32x4.pmin(lo1, w)
    hi = f32x4.pmax(hi, v)
    hi1 = f32x4.pmax(hi1, w)
    bad = f32x4.add(bad, f32x4.sub(v, v))
    bad1 = f32x4.add(bad1, f32x4.sub(w, w))
  }
  for (; k > 0; k -= 4, x += 16, factors += 16) {
    const v = load(x, factors, k)
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
