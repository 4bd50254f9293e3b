// Exact sums of products of integers: out[rows × n] (i32) = q[rows × k] · W[k × n], q 0 … 127 and W −127 … 127.
//
// W is packed in panels of 16 columns: after panel p's columns come those of panel p + 1; in a panel, for every four of k,
// 64 bytes: column after column, its four weights together (one i32 lane). k is a multiple of 8.
//
// Three ways to the same integers:
//   bytes   relaxed_dot_i8x16_i7x16_add: 16 products in one instruction where the CPU has AVX-VNNI (or ARM's dot product) and
//           V8 knows it, in five where not.
//   paired  relaxed_dot_i8x16_i7x16 twice, added in 16 bits and only then widened: 32 products in five instructions. The
//           packer sees to it that four products never leave 16 bits (src/tensor/panelsint8.ts).
//   halves  the baseline's dot_i16x8: weights widened on the way from memory, 8 products in two instructions.
//
// Measured, 10^9 operations a second (two a product), best tenth of 72 interleaved rounds, 64 × 512 × 256, one core of a
// Zen 3 without VNNI, whose roof in pairs is 132, in f32 50 (f32 dense here: 32 to 39 baseline, 47 relaxed; tfjs-wasm 23
// to 25):
//                                          Node 20        Node 24
//   bytes                2×16  4×8         75  76         73  74
//   widened each time    2×16  4×8         88  84         94  89     two steps to 32 bits a product of 16 bytes
//   paired               2×16  4×8         91  88        110 111
//   halves               2×8               68             72
//   by k pairs           2×16  4×8         71  71         71  74     a layout of its own
//   by shifts            2×16              55             62         the bytes' layout, odd and even k apart
//   16-bit weights       2×16              71             79         twice the memory
// The same on a Sapphire Rapids, which has VNNI, on Node 24: bytes 2×16 91, 6×8 109; paired 71; halves 40; f32 roof 37. Of
// 512 × 1024 in 240 rows 6×8 makes 122; quantizing takes 0.5 ns an element of x, a ninth of the time of 128-256-128-64.
// Whole towers, quantizing and finishing included, as multiples of tfjs-wasm in the same rounds (Node 20, Node 24; where
// two numbers differ between runs, both):
//   512-1024-512-256  64 rows  relaxed 3.3-3.8 3.9-4.2  baseline 2.7 2.6    one row  relaxed 7.8 8-9  baseline 4.0 5.0
//   128-256-128-64    64 rows  relaxed 3.2     3.5      baseline 2.6 2.5    one row  relaxed  20  23  baseline  10  14
import { fixedTiles, Loads, loads, storeTail, tileRows } from './lanes'
import { rowBytes } from './quantize'
import { pack, PART, TALL, tallTiles } from './tall'

/** Columns in a panel. */
const PANEL = 16

/**
 * 0 where `bytes` is the way for this engine, else 1. Factors past seven bits show it: VNNI takes 255 as it is and ARM as
 * −1, both summing exactly, where pmaddubsw cuts sums of two at 16 bits. Any other answer is 1 too: the baseline compiler of
 * Node 20's V8 computes this instruction wrongly.
 */
export function pairsBytes(): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 1
  // Of a constant the compiler would answer for itself.
  const all = i8x16.splat(memory.size() ? -1 : 0)
  const sum = i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), all, i32x4.splat(0)), 0)
  return i32(sum != 4 * 127 * 255 && sum != 4 * 127 * -1)
}

/** The sums of all rows. `paired` is 0 or 1 and of no account in the baseline build. */
export function products(out: usize, q: usize, w: usize, rows: i32, k: i32, n: i32, paired: i32): void {
  if (!ASC_FEATURE_RELAXED_SIMD) halves(out, q, w, rows, k, n)
  else if (paired) inPairs(out, q, w, rows, k, n, i16x8.splat(<i16>paired))
  else inBytes(out, q, w, rows, k, n)
}

// Two functions, and ones that are no constant: of one function with a flag the compiler made one loop that asks at each
// step, and a constant V8 builds anew at each use (60 GOPS where it is 110).
function inPairs(out: usize, q: usize, w: usize, rows: i32, k: i32, n: i32, ones: v128): void {
  tiles(true, out, q, w, rows, k, n, ones)
}

function inBytes(out: usize, q: usize, w: usize, rows: i32, k: i32, n: i32): void {
  const count = tileRows ? rows / TALL : 0
  if (count) {
    tallSums(out, q, w, count, k, n, loads == Loads.checked ? fixedTiles(1, out, q, w, count, k >> 2, n) : 0)
    const done = count * TALL
    const past = n & (PANEL - 1)
    if (past) {
      const p = w + <usize>(n - past) * <usize>k
      for (let i = 0; i < done; i++)
        row(false, out + (<usize>(i * n + n - past) << 2), q + <usize>i * <usize>k, p, k, past, i16x8.splat(0))
    }
    rows -= done
    q += <usize>done * <usize>k
    out += <usize>(done * n) << 2
  }
  if (rows) tiles(false, out, q, w, rows, k, n, i16x8.splat(0))
}

/**
 * Tiles of six rows by half a panel, of whole panels: where one instruction takes sixteen products it takes five cycles, and
 * two begin in each, so that the eight sums of 2×16 leave it waiting. A step takes four of k, of which the sums of the first
 * `from` steps are in `out` already. As in `dense`, the rows are packed and meet all panels.
 */
function tallSums(out: usize, q: usize, w: usize, count: i32, k: i32, n: i32, from: i32): void {
  const steps = k >> 2
  const panel = <usize>k * PANEL
  for (; from < steps; from += PART) {
    const part = min(PART, steps - from)
    pack(q + (<usize>from << 2), count, part, k)
    let p = w + <usize>from * PANEL * 4
    for (let o = out, end = out + (<usize>(n & ~(PANEL - 1)) << 2); o < end; o += PANEL * 4, p += panel) {
      tallBytes(o, p, count, part, <usize>n << 2, from > 0)
      tallBytes(o + 32, p + 32, count, part, <usize>n << 2, from > 0)
    }
  }
}

function tallBytes(out: usize, w: usize, count: i32, steps: i32, outRow: usize, more: bool): void {
  tallTiles(true, out, w, count, steps, outRow, more)
}

/** sum + eight products a lane: four of `w0` and `q0`, four of `w1` and `q1`. */
// @ts-ignore: decorator
@inline
function dot(paired: bool, ones: v128, w0: v128, q0: v128, w1: v128, q1: v128, sum: v128): v128 {
  if (!paired) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w1, q1, i32x4.relaxed_dot_i8x16_i7x16_add_s(w0, q0, sum))
  const four = i16x8.add(i16x8.relaxed_dot_i8x16_i7x16_s(w0, q0), i16x8.relaxed_dot_i8x16_i7x16_s(w1, q1))
  return i32x4.add(sum, i32x4.dot_i16x8_s(four, ones))
}

/** Tiles of 2×16; a last odd row by itself, two panels side by side. */
// @ts-ignore: decorator
@inline
function tiles(paired: bool, out: usize, q: usize, w: usize, rows: i32, k: i32, n: i32, ones: v128): void {
  const panel = <usize>k * PANEL
  const outRow = <usize>n << 2
  if (rows > 1) {
    let o = out
    let p = w
    let columns = n
    for (; columns >= PANEL; columns -= PANEL, o += PANEL * 4, p += panel) {
      let at = o
      let q0 = q
      for (let i = rows >> 1; i > 0; i--) {
        let a0 = i32x4.splat(0), a1 = i32x4.splat(0), a2 = i32x4.splat(0), a3 = i32x4.splat(0)
        let b0 = i32x4.splat(0), b1 = i32x4.splat(0), b2 = i32x4.splat(0), b3 = i32x4.splat(0)
        let v = p
        let q1 = q0 + <usize>k
        for (const end = q1; q0 < end; q0 += 8, q1 += 8, v += PANEL * 8) {
          const s = v128.load32_splat(q0), t = v128.load32_splat(q0, 4)
          const x = v128.load32_splat(q1), y = v128.load32_splat(q1, 4)
          let w0 = v128.load(v), w1 = v128.load(v, 64)
          a0 = dot(paired, ones, w0, s, w1, t, a0)
          b0 = dot(paired, ones, w0, x, w1, y, b0)
          w0 = v128.load(v, 16)
          w1 = v128.load(v, 80)
          a1 = dot(paired, ones, w0, s, w1, t, a1)
          b1 = dot(paired, ones, w0, x, w1, y, b1)
          w0 = v128.load(v, 32)
          w1 = v128.load(v, 96)
          a2 = dot(paired, ones, w0, s, w1, t, a2)
          b2 = dot(paired, ones, w0, x, w1, y, b2)
          w0 = v128.load(v, 48)
          w1 = v128.load(v, 112)
          a3 = dot(paired, ones, w0, s, w1, t, a3)
          b3 = dot(paired, ones, w0, x, w1, y, b3)
        }
        q0 = q1
        v128.store(at, a0)
        v128.store(at, a1, 16)
        v128.store(at, a2, 32)
        v128.store(at, a3, 48)
        at += outRow
        v128.store(at, b0)
        v128.store(at, b1, 16)
        v128.store(at, b2, 32)
        v128.store(at, b3, 48)
        at += outRow
      }
    }
    const even = rows & ~1
    if (columns) for (let i = even; i > 0; i--, o += outRow, q += <usize>k) row(paired, o, q, p, k, columns, ones)
    else q += <usize>even * <usize>k
    out += <usize>even * outRow
  }
  if (rows & 1) row(paired, out, q, w, k, n, ones)
}

/** The sums of one row over n columns. */
// @ts-ignore: decorator
@inline
function row(paired: bool, out: usize, q: usize, w: usize, k: i32, n: i32, ones: v128): void {
  const panel = <usize>k * PANEL
  const end = q + <usize>k
  for (; n >= PANEL * 2; n -= PANEL * 2, out += PANEL * 8, w += panel << 1) {
    let a0 = i32x4.splat(0), a1 = i32x4.splat(0), a2 = i32x4.splat(0), a3 = i32x4.splat(0)
    let b0 = i32x4.splat(0), b1 = i32x4.splat(0), b2 = i32x4.splat(0), b3 = i32x4.splat(0)
    let v = w
    let u = w + panel
    for (let q0 = q; q0 < end; q0 += 8, v += PANEL * 8, u += PANEL * 8) {
      const s = v128.load32_splat(q0), t = v128.load32_splat(q0, 4)
      a0 = dot(paired, ones, v128.load(v), s, v128.load(v, 64), t, a0)
      a1 = dot(paired, ones, v128.load(v, 16), s, v128.load(v, 80), t, a1)
      a2 = dot(paired, ones, v128.load(v, 32), s, v128.load(v, 96), t, a2)
      a3 = dot(paired, ones, v128.load(v, 48), s, v128.load(v, 112), t, a3)
      b0 = dot(paired, ones, v128.load(u), s, v128.load(u, 64), t, b0)
      b1 = dot(paired, ones, v128.load(u, 16), s, v128.load(u, 80), t, b1)
      b2 = dot(paired, ones, v128.load(u, 32), s, v128.load(u, 96), t, b2)
      b3 = dot(paired, ones, v128.load(u, 48), s, v128.load(u, 112), t, b3)
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
  for (; n > 0; n -= PANEL, out += PANEL * 4, w += panel) {
    let a0 = i32x4.splat(0), a1 = i32x4.splat(0), a2 = i32x4.splat(0), a3 = i32x4.splat(0)
    let v = w
    for (let q0 = q; q0 < end; q0 += 8, v += PANEL * 8) {
      const s = v128.load32_splat(q0), t = v128.load32_splat(q0, 4)
      a0 = dot(paired, ones, v128.load(v), s, v128.load(v, 64), t, a0)
      a1 = dot(paired, ones, v128.load(v, 16), s, v128.load(v, 80), t, a1)
      a2 = dot(paired, ones, v128.load(v, 32), s, v128.load(v, 96), t, a2)
      a3 = dot(paired, ones, v128.load(v, 48), s, v128.load(v, 112), t, a3)
    }
    storePanel(out, a0, a1, a2, a3, n)
  }
}

/** The first n (16 where n is more) of a panel's sums. */
function storePanel(out: usize, a0: v128, a1: v128, a2: v128, a3: v128, n: i32): void {
  for (n = min(n, PANEL); n >= 4; n -= 4, out += 16) {
    v128.store(out, a0)
    a0 = a1
    a1 = a2
    a2 = a3
  }
  if (n > 0) storeTail(out, a0, n)
}

// @ts-ignore: decorator
@inline
function madd(w: v128, q: v128, sum: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(w, q), sum)
}

/** Four columns of two vectors that hold two columns each, in two lanes each. */
// @ts-ignore: decorator
@inline
function join(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7))
}

/** Tiles of 2×8, half a panel: a vector of widened weights holds two columns, four of k each. */
function halves(out: usize, q: usize, w: usize, rows: i32, k: i32, n: i32): void {
  const outRow = <usize>n << 2
  const qRow = rowBytes(k)
  const even = rows & ~1
  if (even) {
    let o = out
    let p = w
    let columns = n
    for (; columns >= PANEL; columns -= PANEL, o += PANEL * 4, p += <usize>k * PANEL) {
      for (let half: usize = 0; half < 64; half += 32) {
        let at = o + half
        let q0 = q
        for (let i = even; i > 0; i -= 2) {
          let a0 = i32x4.splat(0), a1 = i32x4.splat(0), a2 = i32x4.splat(0), a3 = i32x4.splat(0)
          let b0 = i32x4.splat(0), b1 = i32x4.splat(0), b2 = i32x4.splat(0), b3 = i32x4.splat(0)
          let v = p + half
          let q1 = q0 + qRow
          for (const end = q1; q0 < end; q0 += 8, q1 += 8, v += PANEL * 4) {
            const s = v128.load64_splat(q0), t = v128.load64_splat(q1)
            let x = v128.load8x8_s(v)
            a0 = madd(x, s, a0)
            b0 = madd(x, t, b0)
            x = v128.load8x8_s(v, 8)
            a1 = madd(x, s, a1)
            b1 = madd(x, t, b1)
            x = v128.load8x8_s(v, 16)
            a2 = madd(x, s, a2)
            b2 = madd(x, t, b2)
            x = v128.load8x8_s(v, 24)
            a3 = madd(x, s, a3)
            b3 = madd(x, t, b3)
          }
          q0 = q1
          v128.store(at, join(a0, a1))
          v128.store(at, join(a2, a3), 16)
          at += outRow
          v128.store(at, join(b0, b1))
          v128.store(at, join(b2, b3), 16)
          at += outRow
        }
      }
    }
    if (columns) for (let i = even; i > 0; i--, o += outRow, q += qRow) rowInHalves(o, q, p, k, columns)
    else q += <usize>even * qRow
    out += <usize>even * outRow
  }
  if (rows & 1) rowInHalves(out, q, w, k, n)
}

function rowInHalves(out: usize, q: usize, w: usize, k: i32, n: i32): void {
  const end = q + rowBytes(k)
  for (; n > 0; n -= PANEL, out += PANEL * 4) {
    let a0 = i32x4.splat(0), a1 = i32x4.splat(0), a2 = i32x4.splat(0), a3 = i32x4.splat(0)
    let b0 = i32x4.splat(0), b1 = i32x4.splat(0), b2 = i32x4.splat(0), b3 = i32x4.splat(0)
    for (let q0 = q; q0 < end; q0 += 8, w += PANEL * 4) {
      const s = v128.load64_splat(q0)
      a0 = madd(v128.load8x8_s(w), s, a0)
      a1 = madd(v128.load8x8_s(w, 8), s, a1)
      a2 = madd(v128.load8x8_s(w, 16), s, a2)
      a3 = madd(v128.load8x8_s(w, 24), s, a3)
      b0 = madd(v128.load8x8_s(w, 32), s, b0)
      b1 = madd(v128.load8x8_s(w, 40), s, b1)
      b2 = madd(v128.load8x8_s(w, 48), s, b2)
      b3 = madd(v128.load8x8_s(w, 56), s, b3)
    }
    storePanel(out, join(a0, a1), join(a2, a3), join(b0, b1), join(b2, b3), n)
  }
}
