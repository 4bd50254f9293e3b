// out = activation(x · W + bias) in integers: x as seven bits a row (quantize.ts), W as eight bits a column, exact sums
// (products.ts), and floats again.
import { loadTail, splat, storeTail } from './lanes'
import { products } from './products'
import { MIDDLE, quantize, quantizeErrors } from './quantize'
import { activate, Unary } from './unary'

/** Rows that are finished, activation included, before the next: whole tiles of six (products.ts). */
const CHUNK = 60

/**
 * out[rows × n] = act((Σ (q − zero) · w) · scales[n] · scale + bias[n]), with q, zero and scale of x[rows × k] as
 * quantize.ts makes them and w of `packInt8` (src/tensor/panelsint8.ts): ceil(n / 16) · k padded to 8 · 16 bytes. For a
 * coarse row (Σ (errors − 63) · w) · scales[n] · (scale / 126) is added before the bias.
 *
 * `factors` are k floats, `totals` (i32) the columns' sums of w; `bias` 0 means none; `activation` and `alpha` as in
 * `dense`; `paired` what `pairsBytes` says here. `scratch` is for 720 + 2 · (min(rows, 60) + 1) · (k padded to 8) + 4n
 * bytes. `out` must not overlap any input; k is at most 131,072, so that no sum leaves 32 bits. Every float operation is one
 * rounding in the order above, so both builds and both ways give the same bits before the activation, and a row the same
 * in any batch. A row of x with NaN or an infinity gives NaN everywhere.
 */
export function denseInt8(
  out: usize, x: usize, w: usize, factors: usize, scales: usize, totals: usize, bias: usize, rows: i32, k: i32, n: i32,
  activation: Unary, alpha: f32, scratch: usize, paired: i32,
): void {
  const relu = activation == Unary.relu
  const padded = (k + 7) & ~7
  const outRow = <usize>n << 2
  const zeros = scratch + CHUNK * 4
  const coarse = zeros + CHUNK * 4
  const errors = coarse + CHUNK * 4
  const extra = errors + (<usize>padded << 1)
  const q = extra + outRow
  for (; rows > 0; rows -= CHUNK) {
    const height = min(rows, CHUNK)
    quantize(q, scratch, zeros, coarse, x, factors, height, k)
    products(out, q, w, height, padded, n, paired)
    for (let at: usize = 0, end = <usize>height << 2; at < end; at += 4, out += outRow, x += <usize>k << 2) {
      const scale = load<f32>(scratch + at)
      const zero = load<i32>(zeros + at)
      const f = load<f32>(coarse + at)
      if (f > 0) {
        quantizeErrors(errors, x, factors, k, zero, f)
        products(extra, errors, w, 1, padded, n, paired)
        finish(extra, 0, scales, totals, 0, n, MIDDLE, scale / 126, false)
      }
      finish(out, f > 0 ? extra : 0, scales, totals, bias, n, zero, scale, relu)
    }
    if (!relu) activate(activation, out - outRow * height, height * n, alpha)
  }
}

/** A row of sums as floats, in place; `extra` and `bias` are floats to be added, or 0. */
function finish(
  out: usize, extra: usize, scales: usize, totals: usize, bias: usize, n: i32, zero: i32, scale: f32, relu: bool,
): void {
  const floor = splat(relu ? 0 : -Infinity)
  const row = splat(scale)
  const origin = i32x4.splat(zero)
  const end = <usize>(n & ~3) << 2
  let at: usize = 0
  // What relu made has the zero 0 and needs no correction: two layers of three.
  if (!extra && bias && !zero)
    for (; at + 16 < end; at += 32) {
      const v = f32x4.mul(f32x4.convert_i32x4_s(v128.load(out + at)), v128.load(scales + at))
      const w = f32x4.mul(f32x4.convert_i32x4_s(v128.load(out + at, 16)), v128.load(scales + at, 16))
      v128.store(out + at, f32x4.pmax(f32x4.add(f32x4.mul(v, row), v128.load(bias + at)), floor))
      v128.store(out + at, f32x4.pmax(f32x4.add(f32x4.mul(w, row), v128.load(bias + at, 16)), floor), 16)
    }
  for (; at < end; at += 16) {
    let v = real(v128.load(out + at), origin, v128.load(totals + at), v128.load(scales + at), row)
    if (extra) v = f32x4.add(v, v128.load(extra + at))
    if (bias) v = f32x4.add(v, v128.load(bias + at))
    v128.store(out + at, f32x4.pmax(v, floor))
  }
  const rest = n & 3
  if (rest) {
    const column = loadTail(scales + end, rest, floor)
    let v = real(loadTail(out + end, rest, floor), origin, loadTail(totals + end, rest, floor), column, row)
    if (extra) v = f32x4.add(v, loadTail(extra + end, rest, floor))
    if (bias) v = f32x4.add(v, loadTail(bias + end, rest, floor))
    storeTail(out + end, f32x4.pmax(v, floor), rest)
  }
}

/** No madd: in the relaxed build it would round once where the baseline rounds twice. */
// @ts-ignore: decorator
@inline
function real(sum: v128, zero: v128, total: v128, column: v128, row: v128): v128 {
  const exact = f32x4.convert_i32x4_s(i32x4.sub(sum, i32x4.mul(zero, total)))
  return f32x4.mul(f32x4.mul(exact, column), row)
}
