// Which of many items can be among the nearest to a query. Items are bytes and the query is 16 bits a number, so that the
// sums are exact and only what the roundings took is in doubt; of that every item has its bound.
import { splat } from './lanes'

/**
 * lower[i] = (items[i] · query) · scales[i] · scale − slacks[i], less halves[i] · per where `halves` is not 0: the least
 * that the product of item i can be. Items are `count` rows of n bytes (i8), the query n of i16, and no sum leaves 32 bits;
 * n is a multiple of 16 and count of 4. Each float operation is one rounding, in both builds.
 *
 * A loop over four rows keeps four sums in registers. 1,000,000 items of 64 in 5.3 ms, 3.3 where they are in the cache, as
 * for a second query over the same thousands; by floats, which are four times as much to read, it was 17. Two queries in
 * one loop, so that bytes are widened once for both, took 4.3 each: eight sums and what they meet leave no register.
 */
export function scanBytes(
  lower: usize, query: usize, items: usize, scales: usize, slacks: usize, halves: usize, count: i32, n: i32, scale: f32,
  per: f32,
): void {
  const row = <usize>n
  const unit = splat(scale)
  const share = splat(per)
  for (; count > 0; count -= 4, lower += 16, scales += 16, slacks += 16) {
    let a = i32x4.splat(0), b = a, c = a, d = a
    const end = query + (row << 1)
    for (let q = query; q < end; q += 32, items += 16) {
      const low = v128.load(q), high = v128.load(q, 16)
      a = i32x4.add(a, product(items, low, high))
      b = i32x4.add(b, product(items + row, low, high))
      c = i32x4.add(c, product(items + 2 * row, low, high))
      d = i32x4.add(d, product(items + 3 * row, low, high))
    }
    items += 3 * row
    let v = bounded(totals(a, b, c, d), v128.load(scales), unit, v128.load(slacks))
    if (halves) {
      v = f32x4.sub(v, f32x4.mul(v128.load(halves), share))
      halves += 16
    }
    v128.store(lower, v)
  }
}

/**
 * As `scanBytes` for the items `rows` (i32) alone, the slacks of which it leaves in `reach`: lower[i] and reach[i] are those
 * of item rows[i]. `count` is a multiple of 4.
 *
 * Of 1,000,000 items of 64, a tenth strewn over them took 4.5 ms, a fifth 9.6, more than all of them one after the other.
 */
export function scanListed(
  lower: usize, reach: usize, query: usize, items: usize, rows: usize, scales: usize, slacks: usize, halves: usize,
  count: i32, n: i32, scale: f32, per: f32,
): void {
  const row = <usize>n
  const unit = splat(scale)
  const share = splat(per)
  for (; count > 0; count -= 4, rows += 16, lower += 16, reach += 16) {
    const i = <usize>load<u32>(rows), j = <usize>load<u32>(rows, 4), k = <usize>load<u32>(rows, 8)
    const l = <usize>load<u32>(rows, 12)
    let a = i32x4.splat(0), b = a, c = a, d = a
    const end = query + (row << 1)
    let at = items
    for (let q = query; q < end; q += 32, at += 16) {
      const low = v128.load(q), high = v128.load(q, 16)
      a = i32x4.add(a, product(at + i * row, low, high))
      b = i32x4.add(b, product(at + j * row, low, high))
      c = i32x4.add(c, product(at + k * row, low, high))
      d = i32x4.add(d, product(at + l * row, low, high))
    }
    const slack = gathered(slacks, i, j, k, l)
    let v = bounded(totals(a, b, c, d), gathered(scales, i, j, k, l), unit, slack)
    if (halves) v = f32x4.sub(v, f32x4.mul(gathered(halves, i, j, k, l), share))
    v128.store(lower, v)
    v128.store(reach, slack)
  }
}

/** Eight bytes, each as 16 bits. */
// @ts-ignore: decorator
@inline
function load8(bytes: usize): v128 {
  return v128.load_ext<i8>(bytes)
}

/** Sixteen bytes times sixteen numbers, in four sums. */
// @ts-ignore: decorator
@inline
function product(bytes: usize, low: v128, high: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(load8(bytes), low), i32x4.dot_i16x8_s(load8(bytes + 8), high))
}

// @ts-ignore: decorator
@inline
function bounded(sums: v128, scales: v128, unit: v128, slacks: v128): v128 {
  return f32x4.sub(f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), scales), unit), slacks)
}

/** Floats i, j, k and l of a list. */
// @ts-ignore: decorator
@inline
function gathered(list: usize, i: usize, j: usize, k: usize, l: usize): v128 {
  let v = v128.load32_zero(list + (i << 2))
  v = v128.load_lane<f32>(list + (j << 2), v, 1)
  v = v128.load_lane<f32>(list + (k << 2), v, 2)
  return v128.load_lane<f32>(list + (l << 2), v, 3)
}

/** The sums of the lanes of four vectors of i32, as `sums` has them of floats. */
// @ts-ignore: decorator
@inline
function totals(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7))
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7))
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7))
}

/**
 * −Infinity in the place of values[i] where bit i mod 32 of word i div 32 of `bits` is 0: a heap takes it last and no bound
 * at all (`topkPush` would look at each NaN). `count` is a multiple of 4. 1,000,000 in 0.5 ms.
 */
export function maskScores(values: usize, bits: usize, count: i32): void {
  const places = i32x4(1, 2, 4, 8)
  const none = splat(-Infinity)
  for (let i = 0; i < count; i += 4, values += 16) {
    const four = i32x4.splat(load<u8>(bits + (<usize>i >> 3)) >> (i & 4))
    const kept = i32x4.eq(v128.and(four, places), places)
    v128.store(values, v128.bitselect(v128.load(values), none, kept))
  }
}

/**
 * The indices (i32, ascending) of the items whose product can be `least` or more, lower[i] + 2 · slacks[i] ≥ least, into
 * `out`, which may be `lower`; returns how many. `count` is a multiple of 4.
 */
export function withinReach(out: usize, lower: usize, slacks: usize, count: i32, least: f32): i32 {
  const bound = splat(least)
  const start = out
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2
    const slack = v128.load(slacks + at)
    let mask = i32x4.bitmask(f32x4.ge(f32x4.add(v128.load(lower + at), f32x4.add(slack, slack)), bound))
    for (; mask; mask &= mask - 1, out += 4) store<i32>(out, i + ctz(mask))
  }
  return <i32>((out - start) >> 2)
}
