// How alike embeddings are: row i of one matrix with row i of another.
import { loadTail, madd, splat, sum } from './lanes'
import { dot } from './matmul'
import { squares } from './reduce'

/** out[rows] = a[i] · b[i] for rows of n floats. */
export function rowDot(out: usize, a: usize, b: usize, rows: i32, n: i32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--, out += 4, a += row, b += row) f32.store(out, dot(a, b, n))
}

/** out[rows] = the cosine of a[i] and b[i]: the dot product of the two after l2_normalize with `epsilon` (Keras: 1e-12). */
export function rowCosine(out: usize, a: usize, b: usize, rows: i32, n: i32, epsilon: f32): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--, out += 4, a += row, b += row) {
    const na = <f32>1 / sqrt<f32>(max<f32>(squares(a, n, 0), epsilon))
    const nb = <f32>1 / sqrt<f32>(max<f32>(squares(b, n, 0), epsilon))
    f32.store(out, dot(a, b, n) * na * nb)
  }
}

/** out[rows] = Σ (a[i] − b[i])² for rows of n floats. */
export function rowSquaredDistance(out: usize, a: usize, b: usize, rows: i32, n: i32): void {
  for (; rows > 0; rows--, out += 4) {
    let s = splat(0)
    let i = n
    for (; i >= 4; i -= 4, a += 16, b += 16) {
      const d = f32x4.sub(v128.load(a), v128.load(b))
      s = madd(d, d, s)
    }
    if (i > 0) {
      const d = f32x4.sub(loadTail(a, i, splat(0)), loadTail(b, i, splat(0)))
      s = madd(d, d, s)
      a += <usize>i << 2
      b += <usize>i << 2
    }
    f32.store(out, sum(s))
  }
}
