// Vectors as codes of four bits: two numbers each name one of sixteen codewords. What products with a query come to is then a
// sum of looked-up bytes, sixteen items an instruction.
import { splat } from './lanes'
import { topkPush } from './topk'

/** Items of a block: of each pair of numbers it has sixteen bytes, item i in the low half of byte i, item 16 + i in the high. */
const BLOCK = 32

// @ts-ignore: decorator
@inline
function lookup(table: v128, codes: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, codes)
  return i8x16.swizzle(table, codes)
}

/**
 * Offers the items of a leaf to a heap of at most k, as `topkPush` does: item i scores offset + scale · (Σ tables[m][code m
 * of i] − heights[i] · rise / 2^15), by the index rows[i] (i32). Returns the heap's new size. Where `bits` is not 0, only
 * items whose bit rows[i] is 1 are offered; `heights` (i16, not negative) may be 0.
 *
 * `codes` are ceil(count / 32) blocks of `pairs` · 16 bytes, `tables` pairs · 16 bytes of which any four after each other
 * come to at most 255 and all to at most 32,767, followed by 68 bytes for itself; pairs is a multiple of 4. Heights lie
 * padded to whole blocks. Scale is positive.
 *
 * Sums of four stay in bytes before they are widened: six bits each lose nothing beside what the codes have lost. 1,048,576
 * items of 64 numbers in 2.4 ms, 1.8 with relaxed SIMD, whose swizzle is one instruction; the best of 60 on a busy core.
 */
export function scanCodes(
  values: usize, indices: usize, size: i32, k: i32, tables: usize, codes: usize, rows: usize, heights: usize, bits: usize,
  count: i32, pairs: i32, scale: f32, offset: f32, rise: i32,
): i32 {
  const low = i8x16.splat(15)
  const bytes = <usize>pairs << 4
  const scratch = tables + bytes
  const factor = i16x8.splat(<i16>rise)
  let least = i16x8.splat(size < k ? i16.MIN_VALUE : reached(load<f32>(values), scale, offset))
  for (; count > 0; count -= BLOCK, rows += BLOCK * 4) {
    let a = i16x8.splat(0), b = a, c = a, d = a
    for (let t = tables; t < scratch; t += 64, codes += 64) {
      const c0 = v128.load(codes), c1 = v128.load(codes, 16), c2 = v128.load(codes, 32), c3 = v128.load(codes, 48)
      const t0 = v128.load(t), t1 = v128.load(t, 16), t2 = v128.load(t, 32), t3 = v128.load(t, 48)
      const front = i8x16.add(
        i8x16.add(lookup(t0, v128.and(c0, low)), lookup(t1, v128.and(c1, low))),
        i8x16.add(lookup(t2, v128.and(c2, low)), lookup(t3, v128.and(c3, low))),
      )
      const back = i8x16.add(
        i8x16.add(lookup(t0, v128.and(i16x8.shr_u(c0, 4), low)), lookup(t1, v128.and(i16x8.shr_u(c1, 4), low))),
        i8x16.add(lookup(t2, v128.and(i16x8.shr_u(c2, 4), low)), lookup(t3, v128.and(i16x8.shr_u(c3, 4), low))),
      )
      a = i16x8.add(a, i16x8.extend_low_i8x16_u(front))
      b = i16x8.add(b, i16x8.extend_high_i8x16_u(front))
      c = i16x8.add(c, i16x8.extend_low_i8x16_u(back))
      d = i16x8.add(d, i16x8.extend_high_i8x16_u(back))
    }
    if (heights) {
      a = i16x8.sub_sat_s(a, i16x8.q15mulr_sat_s(v128.load(heights), factor))
      b = i16x8.sub_sat_s(b, i16x8.q15mulr_sat_s(v128.load(heights, 16), factor))
      c = i16x8.sub_sat_s(c, i16x8.q15mulr_sat_s(v128.load(heights, 32), factor))
      d = i16x8.sub_sat_s(d, i16x8.q15mulr_sat_s(v128.load(heights, 48), factor))
      heights += BLOCK * 2
    }
    const front = i8x16.narrow_i16x8_s(i16x8.ge_s(a, least), i16x8.ge_s(b, least))
    const back = i8x16.narrow_i16x8_s(i16x8.ge_s(c, least), i16x8.ge_s(d, least))
    let found: u32 = <u32>i8x16.bitmask(front) | (<u32>i8x16.bitmask(back) << 16)
    if (count < BLOCK) found &= (<u32>1 << count) - 1
    if (!found) continue
    v128.store(scratch, a)
    v128.store(scratch, b, 16)
    v128.store(scratch, c, 32)
    v128.store(scratch, d, 48)
    let changed = false
    for (; found; found &= found - 1) {
      const i = <usize>ctz(found)
      const row = load<i32>(rows + (i << 2))
      if (bits && !((load<u32>(bits + ((<usize>row >> 5) << 2)) >> (row & 31)) & 1)) continue
      const at = scratch + 64
      store<f32>(at, offset + scale * <f32>load<i16>(scratch + (i << 1)))
      size = topkPush(values, indices, size, k, at, 1, row)
      changed = true
    }
    if (changed && size >= k) least = i16x8.splat(reached(load<f32>(values), scale, offset))
  }
  return size
}

/** A sum that scores no more than `worst`, whatever rounding did. */
function reached(worst: f32, scale: f32, offset: f32): i16 {
  const sum: f32 = floor<f32>((worst - offset) / scale) - 1
  return <i16>max<f32>(-32768, min<f32>(32767, sum))
}

/**
 * out[rows] (i32) = the place of the largest of each row of n, the first of equals; n is a multiple of 4 and not 0. NaN is
 * larger than nothing, and 0 is the place where all are.
 */
export function rowArgMax(out: usize, x: usize, rows: i32, n: i32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--, out += 4, x += row) {
    let best = splat(-Infinity)
    let at = i32x4.splat(0)
    let place = i32x4(0, 1, 2, 3)
    for (let i: usize = 0; i < row; i += 16) {
      const v = v128.load(x + i)
      const more = f32x4.gt(v, best)
      best = v128.bitselect(v, best, more)
      at = v128.bitselect(place, at, more)
      place = i32x4.add(place, i32x4.splat(4))
    }
    let value: f32 = f32x4.extract_lane(best, 0)
    let found = i32x4.extract_lane(at, 0)
    for (let lane = 1; lane < 4; lane++) {
      best = v128.shuffle<i32>(best, best, 1, 2, 3, 0)
      at = v128.shuffle<i32>(at, at, 1, 2, 3, 0)
      const other: f32 = f32x4.extract_lane(best, 0)
      const index = i32x4.extract_lane(at, 0)
      if (other > value || (other == value && index < found)) {
        value = other
        found = index
      }
    }
    store<i32>(out, found)
  }
}

/**
 * codes[rows × pairs] (u8): for each pair of numbers of x[rows × 2 · pairs] one of the sixteen codewords, so that Σ e² +
 * weight · (Σ e · along)² is small, e = x − codewords, in each row; `along` is rows × 2 · pairs, or 0 for Σ e² alone.
 * First each pair's nearest, then `passes` times each pair's best given the others. `codebooks` are pairs · (16 first
 * numbers, 16 second).
 */
export function encodePairs(
  codes: usize, x: usize, along: usize, codebooks: usize, rows: i32, pairs: i32, weight: f32, passes: i32,
): void {
  const row = <usize>pairs << 3
  for (; rows > 0; rows--, codes += pairs, x += row) {
    let drift: f32 = 0
    for (let m: usize = 0; m < <usize>pairs; m++) {
      const book = codebooks + (m << 7)
      const p = load<f32>(x + (m << 3)), q = load<f32>(x + (m << 3), 4)
      const code = nearest(book, p, q, 0, 0, 0, 0)
      store<u8>(codes + m, <u8>code)
      if (along) drift += lean(book, code, p, q, load<f32>(along + (m << 3)), load<f32>(along + (m << 3), 4))
    }
    if (!along) continue
    for (let pass = 0; pass < passes; pass++)
      for (let m: usize = 0; m < <usize>pairs; m++) {
        const book = codebooks + (m << 7)
        const p = load<f32>(x + (m << 3)), q = load<f32>(x + (m << 3), 4)
        const u = load<f32>(along + (m << 3)), v = load<f32>(along + (m << 3), 4)
        const others = drift - lean(book, load<u8>(codes + m), p, q, u, v)
        const code = nearest(book, p, q, u, v, others, weight)
        store<u8>(codes + m, <u8>code)
        drift = others + lean(book, code, p, q, u, v)
      }
    along += row
  }
}

/** What codeword `code` leaves of (p, q), along (u, v). */
// @ts-ignore: decorator
@inline
function lean(book: usize, code: i32, p: f32, q: f32, u: f32, v: f32): f32 {
  const at = book + (<usize>code << 2)
  return (p - load<f32>(at)) * u + (q - load<f32>(at, 64)) * v
}

/** The codeword of least e² + weight · (others + e · (u, v))², the first of equals. */
function nearest(book: usize, p: f32, q: f32, u: f32, v: f32, others: f32, weight: f32): i32 {
  const a = cost(book, p, q, u, v, others, weight), b = cost(book + 16, p, q, u, v, others, weight)
  const c = cost(book + 32, p, q, u, v, others, weight), d = cost(book + 48, p, q, u, v, others, weight)
  let least = f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d))
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1))
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2))
  const mask = i32x4.bitmask(f32x4.eq(a, least)) | (i32x4.bitmask(f32x4.eq(b, least)) << 4) |
    (i32x4.bitmask(f32x4.eq(c, least)) << 8) | (i32x4.bitmask(f32x4.eq(d, least)) << 12)
  return ctz(mask | 0x10000) & 15
}

// @ts-ignore: decorator
@inline
function cost(book: usize, p: f32, q: f32, u: f32, v: f32, others: f32, weight: f32): v128 {
  const e = f32x4.sub(splat(p), v128.load(book))
  const f = f32x4.sub(splat(q), v128.load(book, 64))
  const drift = f32x4.add(splat(others), f32x4.add(f32x4.mul(e, splat(u)), f32x4.mul(f, splat(v))))
  const squares = f32x4.add(f32x4.mul(e, e), f32x4.mul(f, f))
  return f32x4.add(squares, f32x4.mul(splat(weight), f32x4.mul(drift, drift)))
}
