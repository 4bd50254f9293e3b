// out = activation(x · W + bias) in integers: x as seven bits a row (quantize.ts), W as eight bits a column, exact sums
// (products.ts), and floats again.
import { loadTail, splat, storeTail } from './lanes'
import { products } from './products'
import { quantize } from './quantize'
import { activate, Unary } from './unary'

/** Rows that are finished, activation included, before the next. */
const CHUNK = 64

/**
 * out[rows × n] = act((Σ (q − zero) · w) · scales[n] · scale + bias[n]), with q, zero and scale of x[rows × k] as
 * quantize.ts has them and w of `packInt8` (src/tensor/panelsint8.ts): ceil(n / 16) · k padded to 8 · 16 bytes.
 *
 * `totals` (i32) are the columns' sums of w; `bias` 0 means none; `activation` and `alpha` as in `dense`; `paired` what
 * `pairsBytes` says here. `scratch` is for 512 + 2 · min(rows, 64) · (k padded to 8) bytes. `out` must not overlap any
 * input; k is at most 131,072, so that no sum leaves 32 bits. Every float operation is one rounding in the order above, so
 * both builds and both ways give the same bits before the activation, and a row the same in any batch. A row of x with
 * NaN or an infinity gives NaN everywhere.
 */
export function denseInt8(
  out: usize, x: usize, w: usize, scales: usize, totals: usize, bias: usize, rows: i32, k: i32, n: i32,
  activation: Unary, alpha: f32, scratch: usize, paired: i32,
): void {
  const relu = activation == Unary.relu
  const padded = (k + 7) & ~7
  const zeros = scratch + CHUNK * 4
  const q = zeros + CHUNK * 4
  for (; rows > 0; rows -= CHUNK) {
    const height = min(rows, CHUNK)
    quantize(q, scratch, zeros, x, height, k)
    products(out, q, w, height, padded, n, paired)
    finish(out, scratch, zeros, scales, totals, bias, height, n, relu)
    if (!relu) activate(activation, out, height * n, alpha)
    out += <usize>(height * n) << 2
    x += <usize>(height * k) << 2
  }
}

/** Each row of sums as floats, in place. */
function finish(
  out: usize, rowScales: usize, zeros: usize, scales: usize, totals: usize, bias: usize, rows: i32, n: i32, relu: bool,
): void {
  const floor = splat(relu ? 0 : -Infinity)
  const end = <usize>(n & ~3) << 2
  const rest = n & 3
  for (; rows > 0; rows--, rowScales += 4, zeros += 4, out += <usize>n << 2) {
    const scale = v128.load32_splat(rowScales)
    const zero = v128.load32_splat(zeros)
    for (let at: usize = 0; at < end; at += 16) {
      const sum = real(v128.load(out + at), zero, v128.load(totals + at), v128.load(scales + at), scale)
      v128.store(out + at, f32x4.pmax(bias ? f32x4.add(sum, v128.load(bias + at)) : sum, floor))
    }
    if (rest) {
      const at = out + end
      let sum = real(
        loadTail(at, rest, floor), zero, loadTail(totals + end, rest, floor), loadTail(scales + end, rest, floor), scale,
      )
      if (bias) sum = f32x4.add(sum, loadTail(bias + end, rest, floor))
      storeTail(at, f32x4.pmax(sum, floor), rest)
    }
  }
}

/** No madd: in the relaxed build it would round once where the baseline rounds twice. */
// @ts-ignore: decorator
@inline
function real(sum: v128, zero: v128, total: v128, column: v128, row: v128): v128 {
  const exact = f32x4.convert_i32x4_s(i32x4.sub(sum, i32x4.mul(zero, total)))
  return f32x4.mul(f32x4.mul(exact, column), row)
}
