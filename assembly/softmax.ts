// Softmax and its logarithm over each row. The row's maximum is subtracted first, so nothing overflows.
import { lane0, largest, loadTail, splat, storeTail, sum } from './lanes'
import { expOfDifference4, log4 } from './math'

/**
 * The largest of n floats, NaN passed over: the number that is NaN makes the row's sum NaN. One instruction a vector, where a
 * maximum that keeps NaN is eight in a chain: rows of 50 in half of the time (Node 20), in 0.6 (24).
 */
function largestNumber(x: usize, n: i32): f32 {
  let top = splat(-Infinity)
  for (; n >= 4; n -= 4, x += 16) top = f32x4.pmax(top, v128.load(x))
  if (n > 0) top = f32x4.pmax(top, loadTail(x, n, top))
  return largest(top)
}

/**
 * out[rows × n] = e^(x − max) / Σ e^(x − max) in each row. `out` may be `x`. A row with NaN or +Infinity, or of −Infinity
 * only, becomes NaN, as in TensorFlow.
 */
export function softmax(out: usize, x: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--) {
    const top = splat(largestNumber(x, n))
    let total = splat(0)
    let o = out
    let i = n
    for (; i >= 4; i -= 4, x += 16, o += 16) {
      const e = expOfDifference4(f32x4.sub(v128.load(x), top))
      total = f32x4.add(total, e)
      v128.store(o, e)
    }
    if (i > 0) {
      // The lanes past the row are e^−Infinity = 0 and add nothing.
      const e = expOfDifference4(f32x4.sub(loadTail(x, i, splat(-Infinity)), top))
      total = f32x4.add(total, e)
      storeTail(o, e, i)
      x += <usize>i << 2
    }
    const scale = splat(<f32>1 / sum(total))
    for (i = n; i >= 4; i -= 4, out += 16) v128.store(out, f32x4.mul(v128.load(out), scale))
    if (i > 0) {
      storeTail(out, f32x4.mul(loadTail(out, i, scale), scale), i)
      out += <usize>i << 2
    }
  }
}

/** out[rows × n] = (x − max) − ln Σ e^(x − max) in each row. `out` may be `x`; NaN as in `softmax`. */
export function logSoftmax(out: usize, x: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--) {
    const top = splat(largestNumber(x, n))
    let total = splat(0)
    let p = x
    let i = n
    for (; i >= 4; i -= 4, p += 16) total = f32x4.add(total, expOfDifference4(f32x4.sub(v128.load(p), top)))
    if (i > 0) total = f32x4.add(total, expOfDifference4(f32x4.sub(loadTail(p, i, splat(-Infinity)), top)))
    const shift = splat(lane0(log4(splat(sum(total)))))
    for (i = n; i >= 4; i -= 4, x += 16, out += 16) {
      v128.store(out, f32x4.sub(f32x4.sub(v128.load(x), top), shift))
    }
    if (i > 0) {
      storeTail(out, f32x4.sub(f32x4.sub(loadTail(x, i, top), top), shift), i)
      x += <usize>i << 2
      out += <usize>i << 2
    }
  }
}
