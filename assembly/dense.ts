// out = activation(x · W + bias): the dense layer, where a tower spends its time.
//
// W is packed in panels of 16 columns: panel p holds columns 16p … 16p + 15, row after row, so that the inner loop reads
// one unbroken stream of 64 bytes a step; columns past n are zeros. Tile 2×16: eight accumulators, and the two rows of x
// and four vectors of W that feed them, fit V8's sixteen registers.
//
// Measured, GFLOPS, medians (best tenth) of 40 interleaved rounds, k 128 to 2048, one core of a Zen 3, whose roof (a
// loop of multiply-adds in registers) is 49 (50) in both builds:
//   baseline  Node 20  2×16 33 (37)  4×8 33 (37)  5×8 31 (36)  3×8 25 (30)  6×8 23 (25)
//             Node 24  2×16 38 (42)  4×8 35 (38)  5×8 32 (35)  3×8 33 (35)  6×8 24 (25)
//   relaxed   Node 20  2×16 48 (50)  4×8 46 (50)  5×8 47 (50)  3×8 36 (37)  6×8 45 (47)
//             Node 24  2×16 46 (50)  4×8 47 (50)  5×8 47 (50)  3×8 36 (38)  6×8 47 (50)
// The baseline's mul and add are two instructions and there the front end is the limit, not the arithmetic. Unrolling by
// hand makes it worse (2×16 by two: 24): V8 unrolls the loop itself, and what is more than it expects spills.
import { madd, loadTail, splat, storeTail } from './lanes'
import { activate, Unary } from './unary'

/** Floats in a row of a panel. */
const PANEL = 16
/** Rows whose outputs are finished, activation included, before the next: they and their x stay in the second cache. */
const CHUNK = 64

/**
 * out[rows × n] = act(x[rows × k] · W[k × n] + bias[n]).
 *
 * `w` is ceil(n / 16) · k · 16 floats, packed as above; `bias` 0 means none; `activation` is a `Unary` of the first
 * twelve and `alpha` the slope of elu and leakyRelu. `out` must not overlap any input. Every output is summed in the order
 * of k whatever the number of rows, so a row's result does not depend on its batch: it is the same to the last bit.
 */
export function dense(
  out: usize, x: usize, w: usize, bias: usize, rows: i32, k: i32, n: i32, activation: Unary, alpha: f32,
): void {
  const relu = activation == Unary.relu
  for (let r = 0; r < rows; r += CHUNK) {
    const height = min(rows - r, CHUNK)
    if (height > 1) pairs(out, x, w, bias, height >> 1, k, n, relu)
    if (height & 1) {
      const last = <usize>(height - 1) << 2
      vector(out + last * <usize>n, x + last * <usize>k, w, bias, k, n, relu)
    }
    if (!relu) activate(activation, out, height * n, alpha)
    out += <usize>(height * n) << 2
    x += <usize>(height * k) << 2
  }
}

/** `count` pairs of rows. A panel stays in the first cache while all pairs pass over it. */
function pairs(out: usize, x: usize, w: usize, bias: usize, count: i32, k: i32, n: i32, relu: bool): void {
  const xRow = <usize>k << 2
  const outRow = <usize>n << 2
  for (let c = 0; c < n; c += PANEL) {
    let o = out + (<usize>c << 2)
    let x0 = x
    for (let i = 0; i < count; i++) {
      let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0)
      let b0 = splat(0), b1 = splat(0), b2 = splat(0), b3 = splat(0)
      let p = w
      let x1 = x0 + xRow
      for (const end = x1; x0 < end; x0 += 4, x1 += 4, p += PANEL * 4) {
        const w0 = v128.load(p), w1 = v128.load(p, 16), w2 = v128.load(p, 32), w3 = v128.load(p, 48)
        const s = v128.load32_splat(x0)
        a0 = madd(s, w0, a0)
        a1 = madd(s, w1, a1)
        a2 = madd(s, w2, a2)
        a3 = madd(s, w3, a3)
        const t = v128.load32_splat(x1)
        b0 = madd(t, w0, b0)
        b1 = madd(t, w1, b1)
        b2 = madd(t, w2, b2)
        b3 = madd(t, w3, b3)
      }
      x0 = x1
      finish(o, a0, a1, a2, a3, bias, n - c, relu)
      finish(o + outRow, b0, b1, b2, b3, bias, n - c, relu)
      o += outRow << 1
    }
    w += xRow * PANEL
    if (bias) bias += PANEL * 4
  }
}

/**
 * One row: bound by reading W, so W is read once, two panels side by side to keep eight sums going.
 * GFLOPS, L2-resident: two panels by two steps 20 (Node 20; relaxed 28 to 38), one panel by four 19 (15).
 */
function vector(out: usize, x: usize, w: usize, bias: usize, k: i32, n: i32, relu: bool): void {
  const panel = <usize>k * PANEL * 4
  const end = x + (<usize>k << 2)
  let c = 0
  for (; c + PANEL < n; c += PANEL * 2) {
    let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0)
    let b0 = splat(0), b1 = splat(0), b2 = splat(0), b3 = splat(0)
    let p = w
    let q = w + panel
    let x0 = x
    for (const even = end - 4; x0 < even; x0 += 8, p += PANEL * 8, q += PANEL * 8) {
      const s = v128.load32_splat(x0)
      a0 = madd(s, v128.load(p), a0)
      a1 = madd(s, v128.load(p, 16), a1)
      a2 = madd(s, v128.load(p, 32), a2)
      a3 = madd(s, v128.load(p, 48), a3)
      b0 = madd(s, v128.load(q), b0)
      b1 = madd(s, v128.load(q, 16), b1)
      b2 = madd(s, v128.load(q, 32), b2)
      b3 = madd(s, v128.load(q, 48), b3)
      const t = v128.load32_splat(x0, 4)
      a0 = madd(t, v128.load(p, 64), a0)
      a1 = madd(t, v128.load(p, 80), a1)
      a2 = madd(t, v128.load(p, 96), a2)
      a3 = madd(t, v128.load(p, 112), a3)
      b0 = madd(t, v128.load(q, 64), b0)
      b1 = madd(t, v128.load(q, 80), b1)
      b2 = madd(t, v128.load(q, 96), b2)
      b3 = madd(t, v128.load(q, 112), b3)
    }
    if (x0 < end) {
      const s = v128.load32_splat(x0)
      a0 = madd(s, v128.load(p), a0)
      a1 = madd(s, v128.load(p, 16), a1)
      a2 = madd(s, v128.load(p, 32), a2)
      a3 = madd(s, v128.load(p, 48), a3)
      b0 = madd(s, v128.load(q), b0)
      b1 = madd(s, v128.load(q, 16), b1)
      b2 = madd(s, v128.load(q, 32), b2)
      b3 = madd(s, v128.load(q, 48), b3)
    }
    finish(out + (<usize>c << 2), a0, a1, a2, a3, bias, n - c, relu)
    if (bias) bias += PANEL * 4
    finish(out + (<usize>(c + PANEL) << 2), b0, b1, b2, b3, bias, n - c - PANEL, relu)
    if (bias) bias += PANEL * 4
    w += panel << 1
  }
  if (c < n) {
    let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0)
    for (let x0 = x; x0 < end; x0 += 4, w += PANEL * 4) {
      const s = v128.load32_splat(x0)
      a0 = madd(s, v128.load(w), a0)
      a1 = madd(s, v128.load(w, 16), a1)
      a2 = madd(s, v128.load(w, 32), a2)
      a3 = madd(s, v128.load(w, 48), a3)
    }
    finish(out + (<usize>c << 2), a0, a1, a2, a3, bias, n - c, relu)
  }
}

/** Writes the first `columns` of sixteen sums, plus bias, through relu; reads and writes nothing past them. */
function finish(
  out: usize, a0: v128, a1: v128, a2: v128, a3: v128, bias: usize, columns: i32, relu: bool,
): void {
  for (let left = min(columns, PANEL); left > 0; left -= 4) {
    const whole = left >= 4
    if (bias) a0 = f32x4.add(a0, whole ? v128.load(bias) : loadTail(bias, left, a0))
    if (relu) a0 = f32x4.pmax(a0, splat(0))
    if (whole) v128.store(out, a0)
    else storeTail(out, a0, left)
    a0 = a1
    a1 = a2
    a2 = a3
    out += 16
    if (bias) bias += 16
  }
}
