// out = activation(x · W + bias): the dense layer, where a tower spends its time.
//
// W is packed in panels of 16 columns: panel p holds columns 16p … 16p + 15, row after row, so that the inner loop reads
// one unbroken stream of 64 bytes a step; columns past n are zeros. Two tiles read them, of which each is the fastest
// somewhere, and a row alone has a way of its own (denseRow.ts); each output is summed in the same order by all of them. V8 has
// fifteen registers to give away. 2×16 takes eight for the sums, five for what feeds them and one for a product that waits
// for its sum, which only the baseline has. 6×8, half a panel at a time, has twelve sums: a fused multiply-add takes four
// cycles and two begin in each, so that eight sums leave no slack. It is for the relaxed build where the engine's compiler
// loads where it is written (`Loads.inPlace`): one that puts the eight loads of a step first has five registers too few, and
// spills. Its rows are packed, step by step, so that a step moves one address of x and not six: those additions take the units
// of the multiply-adds and a fifth of what the front end gives, which a core may have to share. On an Ice Lake, Node 24, of the
// roof: 77 → 88 % where the core was ours, 43 → 52 where another guest had its other half. Unrolled by two instead 1.01 to 1.03
// times as fast, by four 0.94 to 1; straight code of 32 steps as on Deno (src/engine/fixedtiles.ts) 1.10, but 0.92 to 1 on a
// shared core.
//
// Tiles measured, GFLOPS, medians (best tenth) of 40 interleaved rounds, k 128 to 2048, beside the roof, a loop of
// multiply-adds in registers:
//   Zen 3, roof 49 (50) in both builds
//     baseline  Node 20  2×16 33 (37)  4×8 33 (37)  5×8 31 (36)  3×8 25 (30)  6×8 23 (25)
//               Node 24  2×16 38 (42)  4×8 35 (38)  5×8 32 (35)  3×8 33 (35)  6×8 24 (25)
//     relaxed   Node 20  2×16 48 (50)  4×8 46 (50)  5×8 47 (50)  3×8 36 (37)  6×8 45 (47)
//               Node 24  2×16 46 (50)  4×8 47 (50)  5×8 47 (50)  3×8 36 (38)  6×8 47 (50)
//   Sapphire Rapids, other work beside it, roof 26 (28) baseline, 41 (42) relaxed
//     baseline  Node 20  2×16 28 (31)  4×8 28 (31)  5×8 24 (26)  3×8 28 (30)  6×8 28 (30)
//               Node 24  2×16 27 (30)  4×8 26 (30)  5×8 27 (30)  3×8 26 (30)  6×8 25 (29)
//     relaxed   Node 20  2×16 34 (37)  4×8 33 (36)  5×8 22 (24)  3×8 27 (30)  6×8 25 (26)
//               Node 24  2×16 35 (37)  4×8 37 (40)  5×8 38 (41)  3×8 29 (31)  6×8 38 (40)
//               Deno 2   2×16 15 (28)  4×8 15 (27)  5×8 17 (29)  3×8 16 (26)  6×8 18 (32)
//   Sapphire Rapids on another day, relaxed by V8's older compiler and by Turboshaft, 64 to 256 rows, baseline beside
//               Node 20 with its flag  2×16 31 to 33 (35)  6×8 22 to 25 (26)   baseline 24 to 27 (29)
//               Node 22                2×16 25 to 32 (34)  6×8 19 to 25 (25)   baseline 18 to 27 (28)
//               Node 24                2×16 29 to 34 (35)  6×8 31 to 38 (39)   baseline 24 to 28 (29)
//               Bun 1                  2×16 15 to 18 (20)  6×8 14 to 17 (19)   two instructions there too
// The baseline's mul and add are two instructions, and on Zen 3 the front end is the limit. Unrolling a tile by hand makes
// it worse (2×16 by two: 24): V8 unrolls the loop itself, and what is more than it expects spills.
import { edge, PANEL, vector } from './denseRow'
import { fixedTiles, Loads, loads, loadTail, madd, splat, storeTail, tileRows } from './lanes'
import { pack, PART, TALL, tallTiles } from './tall'
import { activate, Unary } from './unary'

/** Rows that are finished, activation included, before the next: they and their x stay in the second cache. */
const CHUNK = 60

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
    let rest = height
    if (ASC_FEATURE_RELAXED_SIMD && loads != Loads.first && tileRows && rest >= TALL) {
      const tall = rest / TALL
      sums(out, x, w, tall, TALL, k, n, loads == Loads.checked ? fixedTiles(0, out, x, w, tall, k, n) : 0)
      rest -= tall * TALL
    }
    const pairs = rest >> 1
    if (pairs) sums(at(out, height - rest, n), at(x, height - rest, k), w, pairs, 2, k, n, 0)
    if (rest & 1) vector(at(out, height - 1, n), at(x, height - 1, k), w, k, n)
    if (bias || relu) finish(out, bias, height, n, relu)
    if (!relu) activate(activation, out, height * n, alpha)
    out = at(out, height, n)
    x = at(x, height, k)
  }
}

/** Row `row` of a matrix of n columns. */
// @ts-ignore: decorator
@inline
function at(matrix: usize, row: i32, n: i32): usize {
  return matrix + (<usize>(row * n) << 2)
}

/**
 * The sums of `count` tiles of `height` rows, of which those of the first `from` of k are in `out` already. All tiles pass over
 * a part of a panel while it is in the first cache, and their sums wait in `out` for the next part. 1024 × 512, 64 rows: 17.9 →
 * 19.6 GFLOPS on Node 20, 22.6 → 23.5 on Node 24, where other work shares the caches; alone, and on Bun, the same.
 */
function sums(out: usize, x: usize, w: usize, count: i32, height: i32, k: i32, n: i32, from: i32): void {
  const xRow = <usize>k << 2
  const outRow = <usize>n << 2
  const panel = <usize>k * PANEL * 4
  const past = n & (PANEL - 1)
  const end = out + (<usize>(n - past) << 2)
  if (from < k || !k)
    do {
      const steps = min(PART, k - from)
      const columns = x + (<usize>from << 2)
      if (ASC_FEATURE_RELAXED_SIMD && height == TALL) pack(columns, count, steps, xRow)
      let p = w + <usize>from * PANEL * 4
      for (let o = out; o < end; o += PANEL * 4, p += panel) {
        if (ASC_FEATURE_RELAXED_SIMD && height == TALL) {
          tallFloats(o, p, count, steps, outRow, from > 0)
          tallFloats(o + 32, p + 32, count, steps, outRow, from > 0)
        } else wideTiles(o, columns, p, count, steps, xRow, outRow, from > 0)
      }
      from += steps
    } while (from < k)
  if (past) {
    w += panel * (n / PANEL)
    out = end
    for (let i = count * height; i > 0; i--, out += outRow, x += xRow) edge(out, x, w, k, past)
  }
}

/** `steps` rows of a panel times the same columns of x, two rows at a time, added to the sums in `out` where there are `more`. */
function wideTiles(
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

/** The same for half a panel and six rows at a time, as they lie at `tileRows`. */
function tallFloats(out: usize, w: usize, count: i32, steps: i32, outRow: usize, more: bool): void {
  tallTiles(false, out, w, count, steps, outRow, more)
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

/**
 * out[ceil(n / 16) · k · 16] = w[k × n] as `dense` reads it: for weights that were not packed before, where many rows are to
 * come. `out` must not overlap `w`.
 */
export function packPanels(out: usize, w: usize, k: i32, n: i32): void {
  const row = <usize>n << 2
  for (; n > 0; n -= PANEL, w += PANEL * 4) {
    let p = w
    for (let i = k; i > 0; i--, p += row, out += PANEL * 4) {
      for (let c = 0; c < PANEL; c += 4) {
        const rest = n - c
        const v = rest >= 4 ? v128.load(p + (<usize>c << 2)) : rest > 0 ? loadTail(p + (<usize>c << 2), rest, splat(0)) : splat(0)
        v128.store(out + (<usize>c << 2), v)
      }
    }
  }
}
