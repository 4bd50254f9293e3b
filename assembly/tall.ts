// The tile of the dense layers, in floats and in bytes, where V8 loads in place (dense.ts, products.ts): six rows by half a panel of
// W. A step of either kind is 32 bits of a row and 32 of each column.
import { madd, splat, tileRows } from './lanes'

/** Rows of a panel that are passed over at a time: 16 KB, half of the first cache. */
export const PART = 256
/** Rows of a tile, of which `tileRows` has room for ten. */
export const TALL = 6
/** Bytes of a panel's step. */
const STEP = 64

/** `steps` columns of `count` tiles to `tileRows`: tile after tile, step after step, the floats (or four bytes) of its six rows. */
export function pack(x: usize, count: i32, steps: i32, xRow: usize): void {
  for (let tile = tileRows; count > 0; count--, tile += <usize>steps * TALL * 4) {
    for (let row = 0; row < TALL; row += 2, x += xRow << 1) {
      let to = tile + (<usize>row << 2)
      let from = x
      let i = steps
      for (; i >= 4; i -= 4, from += 16, to += TALL * 16) {
        const a = v128.load(from), b = v128.load(from + xRow)
        const first = v128.shuffle<f32>(a, b, 0, 4, 1, 5), last = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
        v128.store_lane<f64>(to, first, 0)
        v128.store_lane<f64>(to, first, 1, TALL * 4)
        v128.store_lane<f64>(to, last, 0, TALL * 8)
        v128.store_lane<f64>(to, last, 1, TALL * 12)
      }
      for (; i > 0; i--, from += 4, to += TALL * 4) {
        store<f32>(to, load<f32>(from))
        store<f32>(to, load<f32>(from + xRow), 4)
      }
    }
  }
}

/**
 * out[6 · count × 8] (rows of `outRow` bytes) = the rows at `tileRows` times `steps` steps of half a panel of W, whose steps are 64
 * bytes apart, added to what is in `out` where there are `more`.
 * @param bytes a step is four bytes of a row and of each column, and sums are integers; else a float
 */
// @ts-ignore: decorator
@inline
export function tallTiles(
  bytes: bool, out: usize, w: usize, count: i32, steps: i32, outRow: usize, more: bool,
): void {
  let x = tileRows
  for (; count > 0; count--, out += outRow * TALL) {
    const out1 = out + outRow
    const out2 = out1 + outRow
    const out3 = out2 + outRow
    const out4 = out3 + outRow
    const out5 = out4 + outRow
    let a0 = splat(0), a1 = splat(0), b0 = splat(0), b1 = splat(0), c0 = splat(0), c1 = splat(0)
    let d0 = splat(0), d1 = splat(0), e0 = splat(0), e1 = splat(0), f0 = splat(0), f1 = splat(0)
    if (more) {
      a0 = v128.load(out)
      a1 = v128.load(out, 16)
      b0 = v128.load(out1)
      b1 = v128.load(out1, 16)
      c0 = v128.load(out2)
      c1 = v128.load(out2, 16)
      d0 = v128.load(out3)
      d1 = v128.load(out3, 16)
      e0 = v128.load(out4)
      e1 = v128.load(out4, 16)
      f0 = v128.load(out5)
      f1 = v128.load(out5, 16)
    }
    let p = w
    for (const end = x + <usize>steps * TALL * 4; x < end; x += TALL * 4, p += STEP) {
      const w0 = v128.load(p), w1 = v128.load(p, 16)
      const s0 = v128.load32_splat(x)
      a0 = step(bytes, s0, w0, a0)
      a1 = step(bytes, s0, w1, a1)
      const s1 = v128.load32_splat(x, 4)
      b0 = step(bytes, s1, w0, b0)
      b1 = step(bytes, s1, w1, b1)
      const s2 = v128.load32_splat(x, 8)
      c0 = step(bytes, s2, w0, c0)
      c1 = step(bytes, s2, w1, c1)
      const s3 = v128.load32_splat(x, 12)
      d0 = step(bytes, s3, w0, d0)
      d1 = step(bytes, s3, w1, d1)
      const s4 = v128.load32_splat(x, 16)
      e0 = step(bytes, s4, w0, e0)
      e1 = step(bytes, s4, w1, e1)
      const s5 = v128.load32_splat(x, 20)
      f0 = step(bytes, s5, w0, f0)
      f1 = step(bytes, s5, w1, f1)
    }
    v128.store(out, a0)
    v128.store(out, a1, 16)
    v128.store(out1, b0)
    v128.store(out1, b1, 16)
    v128.store(out2, c0)
    v128.store(out2, c1, 16)
    v128.store(out3, d0)
    v128.store(out3, d1, 16)
    v128.store(out4, e0)
    v128.store(out4, e1, 16)
    v128.store(out5, f0)
    v128.store(out5, f1, 16)
  }
}

// @ts-ignore: decorator
@inline
function step(bytes: bool, x: v128, w: v128, sum: v128): v128 {
  return bytes ? i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum) : madd(x, w, sum)
}
