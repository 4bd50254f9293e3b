// One number a row, or one row of all rows.
import { largest, loadTail, madd, smallest, splat, storeTail, sum } from './lanes'

/** Σ x over n floats, in four interleaved sums of four lanes: an add's latency is not waited for. */
export function total(x: usize, n: i32): f32 {
  let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0)
  for (; n >= 16; n -= 16, x += 64) {
    s0 = f32x4.add(s0, v128.load(x))
    s1 = f32x4.add(s1, v128.load(x, 16))
    s2 = f32x4.add(s2, v128.load(x, 32))
    s3 = f32x4.add(s3, v128.load(x, 48))
  }
  for (; n >= 4; n -= 4, x += 16) s0 = f32x4.add(s0, v128.load(x))
  if (n > 0) s1 = f32x4.add(s1, loadTail(x, n, splat(0)))
  return sum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
}

/** Σ (x − center)² over n floats. */
export function squares(x: usize, n: i32, center: f32): f32 {
  const c = splat(center)
  let s0 = splat(0), s1 = splat(0)
  for (; n >= 8; n -= 8, x += 32) {
    const d0 = f32x4.sub(v128.load(x), c), d1 = f32x4.sub(v128.load(x, 16), c)
    s0 = madd(d0, d0, s0)
    s1 = madd(d1, d1, s1)
  }
  for (; n > 0; n -= 4, x += 16) {
    // The lanes past the row are the center and add nothing, unless it is not finite, and then all is NaN anyway.
    const d = f32x4.sub(n >= 4 ? v128.load(x) : loadTail(x, n, c), c)
    s0 = madd(d, d, s0)
  }
  return sum(f32x4.add(s0, s1))
}

/** out[rows] = the sum of each row of n floats; 0 for n = 0. */
export function rowSum(out: usize, x: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, out += 4, x += <usize>n << 2) f32.store(out, total(x, n))
}

/** out[rows] = the mean of each row of n floats; NaN for n = 0. */
export function rowMean(out: usize, x: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, out += 4, x += <usize>n << 2) f32.store(out, total(x, n) / <f32>n)
}

/** out[rows] = the sum of the squares of each row of n floats; 0 for n = 0. */
export function rowSumSquares(out: usize, x: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, out += 4, x += <usize>n << 2) f32.store(out, squares(x, n, 0))
}

/** out[rows] = the largest of each row of n floats; −Infinity for n = 0, NaN where one is NaN. */
export function rowMax(out: usize, x: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, out += 4, x += <usize>n << 2) {
    let top = splat(-Infinity)
    let p = x
    let i = n
    for (; i >= 4; i -= 4, p += 16) top = f32x4.max(top, v128.load(p))
    if (i > 0) top = f32x4.max(top, loadTail(p, i, top))
    f32.store(out, largest(top))
  }
}

/** out[rows] = the smallest of each row of n floats; Infinity for n = 0, NaN where one is NaN. */
export function rowMin(out: usize, x: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, out += 4, x += <usize>n << 2) {
    let bottom = splat(Infinity)
    let p = x
    let i = n
    for (; i >= 4; i -= 4, p += 16) bottom = f32x4.min(bottom, v128.load(p))
    if (i > 0) bottom = f32x4.min(bottom, loadTail(p, i, bottom))
    f32.store(out, smallest(bottom))
  }
}
