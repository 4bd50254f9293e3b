// out = activation(x · W + bias): the dense layer, where a tower spends its time.
//
// W is packed in panels of 16 columns: panel p holds columns 16p … 16p + 15, row after row, so that the inner loop reads
// one unbroken stream of 64 bytes a step; columns past n are zeros. Tile 2×16: eight accumulators, and the two rows of x
// and four vectors of W that feed them, fit V8's sixteen registers.
//
// Tiles measured, GFLOPS, medians (best tenth) of 40 interleaved rounds, k 128 to 2048, one core of a Zen 3, whose roof
// (a loop of multiply-adds in registers) is 49 (50) in both builds:
//   baseline  Node 20  2×16 33 (37)  4×8 33 (37)  5×8 31 (36)  3×8 25 (30)  6×8 23 (25)
//             Node 24  2×16 38 (42)  4×8 35 (38)  5×8 32 (35)  3×8 33 (35)  6×8 24 (25)
//   relaxed   Node 20  2×16 48 (50)  4×8 46 (50)  5×8 47 (50)  3×8 36 (37)  6×8 45 (47)
//             Node 24  2×16 46 (50)  4×8 47 (50)  5×8 47 (50)  3×8 36 (38)  6×8 47 (50)
// This file, 2 to 1024 rows: baseline 32 (Node 20), 40 (Node 24); relaxed 45 (Node 20), 46 to 49 (Node 24). The baseline's
// mul and add are two instructions, and there that core's front end is the limit. Unrolling the tile by hand makes it worse
// (2×16 by two: 24): V8 unrolls the loop itself, and what is more than it expects spills.
import { loadTail, madd, splat, storeTail } from './lanes'
import { activate, Unary } from './unary'

/** Floats in a row of a panel. */
const PANEL = 16
/** Rows of a panel that are passed over at a time: 16 KB, half of the first cache. */
const PART = 256
/** Rows that are finished, activation included, before the next: they and their x stay in the second cache. */
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
  for (; rows > 0; rows -= CHUNK) {
    const height = min(rows, CHUNK)
    const even = <usize>(height & ~1)
    if (even) pairs(out, x, w, height >> 1, k, n)
    if (height & 1) vector(out + even * (<usize>n << 2), x + even * (<usize>k << 2), w, k, n)
    if (bias || relu) finish(out, bias, height, n, relu)
    if (!relu) activate(activation, out, height * n, alpha)
    out += <usize>(height * n) << 2
    x += <usize>(height * k) << 2
  }
}

/**
 * The sums of `count` pairs of rows. All pairs pass over a part of a panel while it is in the first cache, and their sums
 * wait in `out` for the next part. 1024 × 512, 64 rows: 17.9 → 19.6 GFLOPS on Node 20, 22.6 → 23.5 on Node 24, where other
 * work shares the caches; alone, and on Bun, the same.
 */
function pairs(out: usize, x: usize, w: usize, count: i32, k: i32, n: i32): void {
  const xRow = <usize>k << 2
  const outRow = <usize>n << 2
  for (; n >= PANEL; n -= PANEL, out += PANEL * 4) {
    let from = 0
    do {
      const steps = min(PART, k - from)
      part(out, x + (<usize>from << 2), w, count, steps, xRow, outRow, from > 0)
      w += <usize>steps * PANEL * 4
      from += PART
    } while (from < k)
  }
  if (n) for (let i = count << 1; i > 0; i--, out += outRow, x += xRow) edge(out, x, w, k, n)
}

/** `steps` rows of a panel times the same columns of x, added to the sums in `out` where it is not the first part. */
// @ts-ignore: decorator
@inline
function part(
  out: usize, x: usize, w: usize, count: i32, steps: i32, xRow: usize, outRow: usize, more: bool,
): void {
  for (; count > 0; count--, x += xRow << 1, out += outRow << 1) {
    const next = out + outRow
    let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0)
    let b0 = splat(0), b1 = splat(0), b2 = splat(0), b3 = splat(0)
    if (more) {
      a0 = v128.load(out)
      a1 = v128.load(out, 16)
      a2 = v128.load(out, 32)
      a3 = v128.load(out, 48)
      b0 = v128.load(next)
      b1 = v128.load(next, 16)
      b2 = v128.load(next, 32)
      b3 = v128.load(next, 48)
    }
    let p = w
    let x0 = x
    let x1 = x + xRow
    for (const end = x + (<usize>steps << 2); x0 < end; x0 += 4, x1 += 4, p += PANEL * 4) {
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
    v128.store(out, a0)
    v128.store(out, a1, 16)
    v128.store(out, a2, 32)
    v128.store(out, a3, 48)
    v128.store(next, b0)
    v128.store(next, b1, 16)
    v128.store(next, b2, 32)
    v128.store(next, b3, 48)
  }
}

/**
 * The sums of one row: bound by reading W, so W is read once, two panels side by side to keep eight sums going. GFLOPS,
 * W in the second cache: two panels by two steps 31 (Node 20), 32 (Node 24), 38 (24 relaxed); by one step 26, 36, 39; by
 * four 28, 29, 31; one panel by one 28, 29, 26.
 */
function vector(out: usize, x: usize, w: usize, k: i32, n: i32): void {
  const panel = <usize>k * PANEL * 4
  const end = x + (<usize>k << 2)
  for (; n >= PANEL * 2; n -= PANEL * 2, out += PANEL * 8, w += panel << 1) {
    let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0)
    let b0 = splat(0), b1 = splat(0), b2 = splat(0), b3 = splat(0)
    let p = w
    let q = w + panel
    let x0 = x
    if (k & 1) {
      const s = v128.load32_splat(x0)
      a0 = madd(s, v128.load(p), a0)
      a1 = madd(s, v128.load(p, 16), a1)
      a2 = madd(s, v128.load(p, 32), a2)
      a3 = madd(s, v128.load(p, 48), a3)
      b0 = madd(s, v128.load(q), b0)
      b1 = madd(s, v128.load(q, 16), b1)
      b2 = madd(s, v128.load(q, 32), b2)
      b3 = madd(s, v128.load(q, 48), b3)
      x0 += 4
      p += PANEL * 4
      q += PANEL * 4
    }
    for (; x0 < end; x0 += 8, p += PANEL * 8, q += PANEL * 8) {
      const s = v128.load32_splat(x0)
      const t = v128.load32_splat(x0, 4)
      a0 = madd(s, v128.load(p), a0)
      a1 = madd(s, v128.load(p, 16), a1)
      a2 = madd(s, v128.load(p, 32), a2)
      a3 = madd(s, v128.load(p, 48), a3)
      b0 = madd(s, v128.load(q), b0)
      b1 = madd(s, v128.load(q, 16), b1)
      b2 = madd(s, v128.load(q, 32), b2)
      b3 = madd(s, v128.load(q, 48), b3)
      a0 = madd(t, v128.load(p, 64), a0)
      a1 = madd(t, v128.load(p, 80), a1)
      a2 = madd(t, v128.load(p, 96), a2)
      a3 = madd(t, v128.load(p, 112), a3)
      b0 = madd(t, v128.load(q, 64), b0)
      b1 = madd(t, v128.load(q, 80), b1)
      b2 = madd(t, v128.load(q, 96), b2)
      b3 = madd(t, v128.load(q, 112), b3)
    }
    v128.store(out, a0)
    v128.store(out, a1, 16)
    v128.store(out, a2, 32)
    v128.store(out, a3, 48)
    v128.store(out, b0, 64)
    v128.store(out, b1, 80)
    v128.store(out, b2, 96)
    v128.store(out, b3, 112)
  }
  for (; n > 0; n -= PANEL, out += PANEL * 4, w += panel) edge(out, x, w, k, n)
}

/** The sums of one row over one panel, of which the first n (16 where n is more) columns are written. */
function edge(out: usize, x: usize, w: usize, k: i32, n: i32): void {
  let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0)
  for (const end = x + (<usize>k << 2); x < end; x += 4, w += PANEL * 4) {
    const s = v128.load32_splat(x)
    a0 = madd(s, v128.load(w), a0)
    a1 = madd(s, v128.load(w, 16), a1)
    a2 = madd(s, v128.load(w, 32), a2)
    a3 = madd(s, v128.load(w, 48), a3)
  }
  for (n = min(n, PANEL); n >= 4; n -= 4, out += 16) {
    v128.store(out, a0)
    a0 = a1
    a1 = a2
    a2 = a3
  }
  if (n > 0) storeTail(out, a0, n)
}

/**
 * Adds the bias (0: none) to each row of sums and takes relu where it is wanted. A pass of its own over what still is in
 * the first cache costs 1 to 2 %; done where the tile is stored, it made V8 spill the sums: 10 % slower.
 */
function finish(out: usize, bias: usize, rows: i32, n: i32, relu: bool): void {
  const floor = splat(relu ? 0 : -Infinity)
  for (; rows > 0; rows--) {
    let b = bias
    let i = n
    for (; i >= 4; i -= 4, out += 16) {
      let v = v128.load(out)
      if (bias) {
        v = f32x4.add(v, v128.load(b))
        b += 16
      }
      v128.store(out, f32x4.pmax(v, floor))
    }
    if (i > 0) {
      let v = loadTail(out, i, floor)
      if (bias) v = f32x4.add(v, loadTail(b, i, floor))
      storeTail(out, f32x4.pmax(v, floor), i)
      out += <usize>i << 2
    }
  }
}
