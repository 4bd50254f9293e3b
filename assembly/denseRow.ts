// One row of x · W, W in panels of 16 columns as dense.ts has it: bound by reading W, which is read once.
import { Loads, loads, madd, splat, storeTail } from './lanes'

/** Floats in a row of a panel. */
export const PANEL = 16
/** Rows of a panel that one row of x passes over in a trip of the loop. */
const STEPS: usize = ASC_FEATURE_RELAXED_SIMD ? 1 : 2

/**
 * The sums of one row: two panels side by side keep eight sums going. Where that takes more registers than there are, since
 * the eight loads of a step come first (`Loads.first`), three halves of panels do. GFLOPS, W in the second cache:
 *   Zen 3: two panels by two steps 31 (Node 20), 32 (Node 24), 38 (24 relaxed); by one step 26, 36, 39; by four 28, 29, 31;
 *   one panel by one 28, 29, 26.
 *   Sapphire Rapids: by two steps 22 (Node 20), 25 (24 relaxed); by one 17, 27; three panels by one 21, 25.
 *   The same, relaxed on Node 20 with its flag, 128 × 256 to 512 × 256, where the baseline makes 22 to 23: three halves by one
 *   step 23 to 25, two panels by one 17 to 18, by two 17 to 19, one panel by one or two 20; of 2 MB 16 to 17, 16, 15, 16, and
 *   of 4 MB, past the second cache, where the halves' lines come twice, 11.6 and 12.5 for all others. On Node 22 18.5, 15.4,
 *   16.1, where the baseline makes 17.6; on Node 24 16.7, 17.8, 17.3.
 * Passing over the half of x that relu made zeros, by a list of the others, took a tenth off where W is in the second cache and
 * nothing where it is not: the lines come all the same.
 */
export function vector(out: usize, x: usize, w: usize, k: i32, n: i32): void {
  const panel = <usize>k * PANEL * 4
  if (ASC_FEATURE_RELAXED_SIMD && loads == Loads.first)
    for (; n >= PANEL * 3; n -= PANEL * 3, out += PANEL * 12, w += panel * 3) {
      panelAndHalf(out, x, w, k, w + panel, out + 64)
      panelAndHalf(out + 128, x, w + panel * 2, k, w + panel + 32, out + 96)
    }
  const end = x + (<usize>k << 2)
  for (; n >= PANEL * 2; n -= PANEL * 2, out += PANEL * 8, w += panel << 1) {
    let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0)
    let b0 = splat(0), b1 = splat(0), b2 = splat(0), b3 = splat(0)
    let p = w
    let q = w + panel
    let x0 = x
    if (STEPS == 2 && k & 1) {
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
    for (; x0 < end; x0 += STEPS * 4, p += STEPS * PANEL * 4, q += STEPS * PANEL * 4) {
      const s = v128.load32_splat(x0)
      a0 = madd(s, v128.load(p), a0)
      a1 = madd(s, v128.load(p, 16), a1)
      a2 = madd(s, v128.load(p, 32), a2)
      a3 = madd(s, v128.load(p, 48), a3)
      b0 = madd(s, v128.load(q), b0)
      b1 = madd(s, v128.load(q, 16), b1)
      b2 = madd(s, v128.load(q, 32), b2)
      b3 = madd(s, v128.load(q, 48), b3)
      if (STEPS == 2) {
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

/** The sums of one row over a panel, and over half of another: six, and seven loads that feed them, for which there is room. */
function panelAndHalf(out: usize, x: usize, w: usize, k: i32, half: usize, outHalf: usize): void {
  let a0 = splat(0), a1 = splat(0), a2 = splat(0), a3 = splat(0), b0 = splat(0), b1 = splat(0)
  for (const end = x + (<usize>k << 2); x < end; x += 4, w += PANEL * 4, half += PANEL * 4) {
    const s = v128.load32_splat(x)
    a0 = madd(s, v128.load(w), a0)
    a1 = madd(s, v128.load(w, 16), a1)
    a2 = madd(s, v128.load(w, 32), a2)
    a3 = madd(s, v128.load(w, 48), a3)
    b0 = madd(s, v128.load(half), b0)
    b1 = madd(s, v128.load(half, 16), b1)
  }
  v128.store(out, a0)
  v128.store(out, a1, 16)
  v128.store(out, a2, 32)
  v128.store(out, a3, 48)
  v128.store(outHalf, b0)
  v128.store(outHalf, b1, 16)
}

/** The sums of one row over one panel, of which the first n (16 where n is more) columns are written. */
export function edge(out: usize, x: usize, w: usize, k: i32, n: i32): void {
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
