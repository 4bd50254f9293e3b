// Which of many items can be among the nearest to a query. Items are bytes and the query is 16 bits a number, so that the
// sums are exact and only what the roundings took is in doubt; of that every item has its bound.
import { splat } from './lanes'

/**
 * lower[i] = (items[i] · query) · scales[i] · scale − slacks[i], less halves[i] · per where `halves` is not 0: the least
 * that the product of item i can be. Items are `count` rows of n bytes (i8), the query n of i16, and no sum leaves 32 bits;
 * n is a multiple of 16 and count of 4. Each float operation is one rounding, in both builds.
 *
 * A loop over four rows keeps four sums in registers. 1,000,000 items of 64 in 7 ms, 5 of them arithmetic where the items
 * are in the cache; by floats, which are four times as much to read, it was 17.
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
      a = i32x4.add(a, product(v128.load(items), low, high))
      b = i32x4.add(b, product(v128.load(items + row), low, high))
      c = i32x4.add(c, product(v128.load(items + 2 * row), low, high))
      d = i32x4.add(d, product(v128.load(items + 3 * row), low, high))
    }
    items += 3 * row
    let v = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(totals(a, b, c, d)), v128.load(scales)), unit)
    v = f32x4.sub(v, v128.load(slacks))
    if (halves) {
      v = f32x4.sub(v, f32x4.mul(v128.load(halves), share))
      halves += 16
    }
    v128.store(lower, v)
  }
}

/** Sixteen bytes times sixteen numbers, in four sums. */
// @ts-ignore: decorator
@inline
function product(bytes: v128, low: v128, high: v128): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(bytes), low),
    i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(bytes), high),
  )
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
 * The indices (i32, ascending) of the items whose product can be `least` or more, lower[i] + 2 · slacks[i] ≥ least, into
 * the place of `lower` itself; returns how many. `count` is a multiple of 4.
 */
export function withinReach(lower: usize, slacks: usize, count: i32, least: f32): i32 {
  const bound = splat(least)
  let out = lower
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2
    const slack = v128.load(slacks + at)
    let mask = i32x4.bitmask(f32x4.ge(f32x4.add(v128.load(lower + at), f32x4.add(slack, slack)), bound))
    for (; mask; mask &= mask - 1, out += 4) store<i32>(out, i + ctz(mask))
  }
  return <i32>((out - lower) >> 2)
}
