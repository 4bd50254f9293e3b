// The product of two activations: attention, feature interactions, queries against candidates. Nothing is packed, because
// nothing is used twice.
import { loadTail, madd, splat, sum, sums } from './lanes'

/**
 * out[m × n] = a[m × k] · b, where b is [k × n], or with `transposeB` [n × k]. All contiguous; `out` must not overlap an
 * input. Each output's order of summation depends on k and `transposeB` only, never on m, n or where it stands.
 */
export function matmul(out: usize, a: usize, b: usize, m: i32, k: i32, n: i32, transposeB: bool): void {
  if (!transposeB) return columns(out, a, b, m, k, n)
  const even = <usize>(m & ~1)
  if (even) pairDots(out, a, b, m >> 1, k, n)
  if (m & 1) dots(out + even * (<usize>n << 2), a + even * (<usize>k << 2), b, n, k)
}

/**
 * `count` pairs of rows of `a` against n rows of b, tile 2×4. The four rows of b stay in the first cache while all of `a`
 * passes over them, so that a large b (a catalogue) is read from memory once whatever the number of queries. GFLOPS, k 64,
 * 1,024 rows of b: 28 where one row at a time has 22, 37 where it has 25 (Node 24, relaxed).
 */
function pairDots(out: usize, a: usize, b: usize, count: i32, k: i32, n: i32): void {
  const row = <usize>k << 2
  const outRow = <usize>n << 2
  const whole = <usize>(k & ~3) << 2
  const rest = k & 3
  for (; n >= 4; n -= 4, out += 16, b += row << 2) {
    let o = out
    let x = a
    for (let i = count; i > 0; i--, x += row, o += outRow << 1) {
      let q0 = b, q1 = q0 + row, q2 = q1 + row, q3 = q2 + row
      let y = x + row
      let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0)
      let t0 = splat(0), t1 = splat(0), t2 = splat(0), t3 = splat(0)
      for (const end = x + whole; x < end; x += 16, y += 16, q0 += 16, q1 += 16, q2 += 16, q3 += 16) {
        const v = v128.load(x), u = v128.load(y)
        const b0 = v128.load(q0), b1 = v128.load(q1), b2 = v128.load(q2), b3 = v128.load(q3)
        s0 = madd(v, b0, s0)
        s1 = madd(v, b1, s1)
        s2 = madd(v, b2, s2)
        s3 = madd(v, b3, s3)
        t0 = madd(u, b0, t0)
        t1 = madd(u, b1, t1)
        t2 = madd(u, b2, t2)
        t3 = madd(u, b3, t3)
      }
      if (rest) {
        const v = loadTail(x, rest, splat(0)), u = loadTail(y, rest, splat(0))
        const b0 = loadTail(q0, rest, splat(0)), b1 = loadTail(q1, rest, splat(0))
        const b2 = loadTail(q2, rest, splat(0)), b3 = loadTail(q3, rest, splat(0))
        s0 = madd(v, b0, s0)
        s1 = madd(v, b1, s1)
        s2 = madd(v, b2, s2)
        s3 = madd(v, b3, s3)
        t0 = madd(u, b0, t0)
        t1 = madd(u, b1, t1)
        t2 = madd(u, b2, t2)
        t3 = madd(u, b3, t3)
        x += <usize>rest << 2
      }
      v128.store(o, sums(s0, s1, s2, s3))
      v128.store(o + outRow, sums(t0, t1, t2, t3))
    }
  }
  for (; n > 0; n--, out += 4, b += row) {
    let o = out
    let x = a
    for (let i = count << 1; i > 0; i--, x += row, o += outRow) f32.store(o, dot(x, b, k))
  }
}

/** Scores of one row against `count` rows of `items`, four rows at a time: their four sums are reduced as one vector. */
export function dots(out: usize, x: usize, items: usize, count: i32, k: i32): void {
  const row = <usize>k << 2
  const whole = x + (<usize>(k & ~3) << 2)
  const rest = k & 3
  let p = items
  for (; count >= 4; count -= 4) {
    let q0 = p, q1 = q0 + row, q2 = q1 + row, q3 = q2 + row
    let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0)
    let xi = x
    for (; xi < whole; xi += 16, q0 += 16, q1 += 16, q2 += 16, q3 += 16) {
      const v = v128.load(xi)
      s0 = madd(v, v128.load(q0), s0)
      s1 = madd(v, v128.load(q1), s1)
      s2 = madd(v, v128.load(q2), s2)
      s3 = madd(v, v128.load(q3), s3)
    }
    if (rest) {
      const v = loadTail(xi, rest, splat(0))
      s0 = madd(v, loadTail(q0, rest, splat(0)), s0)
      s1 = madd(v, loadTail(q1, rest, splat(0)), s1)
      s2 = madd(v, loadTail(q2, rest, splat(0)), s2)
      s3 = madd(v, loadTail(q3, rest, splat(0)), s3)
    }
    v128.store(out, sums(s0, s1, s2, s3))
    out += 16
    p += row << 2
  }
  for (; count > 0; count--, out += 4, p += row) f32.store(out, dot(x, p, k))
}

/** The dot product of two rows, summed in the same order as in `dots`. */
export function dot(x: usize, y: usize, k: i32): f32 {
  let s = splat(0)
  for (; k >= 4; k -= 4, x += 16, y += 16) s = madd(v128.load(x), v128.load(y), s)
  if (k > 0) s = madd(loadTail(x, k, splat(0)), loadTail(y, k, splat(0)), s)
  return sum(s)
}

/** b as it lies: 16 columns at a time, then 4, then one by one. */
function columns(out: usize, a: usize, b: usize, m: i32, k: i32, n: i32): void {
  const row = <usize>n << 2
  const end = <usize>k << 2
  for (; m > 0; m--, a += end) {
    let c = 0
    for (; c + 16 <= n; c += 16, out += 64) {
      let s0 = splat(0), s1 = splat(0), s2 = splat(0), s3 = splat(0)
      let p = b + (<usize>c << 2)
      for (let x = a; x < a + end; x += 4, p += row) {
        const v = v128.load32_splat(x)
        s0 = madd(v, v128.load(p), s0)
        s1 = madd(v, v128.load(p, 16), s1)
        s2 = madd(v, v128.load(p, 32), s2)
        s3 = madd(v, v128.load(p, 48), s3)
      }
      v128.store(out, s0)
      v128.store(out, s1, 16)
      v128.store(out, s2, 32)
      v128.store(out, s3, 48)
    }
    for (; c + 4 <= n; c += 4, out += 16) {
      let s = splat(0)
      let p = b + (<usize>c << 2)
      for (let x = a; x < a + end; x += 4, p += row) s = madd(v128.load32_splat(x), v128.load(p), s)
      v128.store(out, s)
    }
    for (; c < n; c++, out += 4) {
      let s = splat(0)
      let p = b + (<usize>c << 2)
      for (let x = a; x < a + end; x += 4, p += row) s = madd(v128.load32_splat(x), v128.load32_splat(p), s)
      v128.store_lane<f32>(out, s, 0)
    }
  }
}
