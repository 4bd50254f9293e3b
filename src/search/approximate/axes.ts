/** Numbers that are turned together: of more, one stretch after the other, for the work grows with the cube. */
const STRETCH = 128
/** Turns of Jacobi's method at most; a dozen are enough. */
const SWEEPS = 30
/** Multiply-adds that are spent on a covariance, about. */
const WORK = 2 ** 27

/**
 * The axes along which `rows` (`float32[n, width]`) vary, as the columns of an orthogonal matrix `float32[width, columns]`,
 * zeros past the width. Two that are coded together lie side by side, one of much variance with one of little, so that the
 * products of their variances are about equal: the allocation of eigenvalues of "Optimized Product Quantization" (Ge, He,
 * Ke, Sun, CVPR 2013).
 */
export function pairedAxes(rows: Float32Array, width: number, columns: number): Float32Array {
  const axes = new Float32Array(width * columns)
  for (let start = 0; start < width; start += STRETCH) {
    const n = Math.min(STRETCH, width - start)
    const { values, vectors } = eigen(covariance(rows, width, start, n), n)
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => values[b] - values[a] || a - b)
    const pairs = Math.ceil(n / 2)
    for (const [rank, axis] of order.entries()) {
      const column = start + (rank < pairs ? 2 * rank : 2 * (n - 1 - rank) + 1)
      for (let i = 0; i < n; i++) axes[(start + i) * columns + column] = vectors[i * n + axis]
    }
  }
  return axes
}

/** Σ x xᵀ of numbers start … start + n of the rows, or of some of them. */
function covariance(rows: Float32Array, width: number, start: number, n: number): Float64Array {
  const sums = new Float64Array(n * n)
  const most = Math.max(4 * n, Math.floor(WORK / n ** 2)) * width
  for (let at = start; at < Math.min(rows.length, most); at += width)
    for (let i = 0; i < n; i++) {
      const value = rows[at + i]
      for (let j = 0; j <= i; j++) sums[i * n + j] += value * rows[at + j]
    }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sums[j * n + i] = sums[i * n + j]
  return sums
}

/** Eigenvalues and eigenvectors, the columns of `vectors`, of a symmetric matrix, by Jacobi's rotations. */
function eigen(symmetric: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = symmetric.slice()
  const vectors = new Float64Array(n * n)
  let trace = 0
  for (let i = 0; i < n; i++) {
    vectors[i * n + i] = 1
    trace += a[i * n + i]
  }
  for (let sweep = 0, off = Infinity; sweep < SWEEPS && off > 1e-12 * trace; sweep++) {
    off = 0
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const shared = a[p * n + q]
        off += Math.abs(shared)
        if (shared === 0) continue
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * shared)
        const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
        const cosine = 1 / Math.hypot(tangent, 1)
        const sine = tangent * cosine
        turn(a, p, q, n, n, cosine, sine)
        turn(a, p * n, q * n, 1, n, cosine, sine)
        turn(vectors, p, q, n, n, cosine, sine)
      }
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]), vectors }
}

/** Turns two columns, or rows, of n numbers `step` apart that begin at x and y. */
function turn(a: Float64Array, x: number, y: number, step: number, n: number, cosine: number, sine: number): void {
  for (let i = 0; i < n; i++, x += step, y += step) {
    const [p, q] = [a[x], a[y]]
    a[x] = cosine * p - sine * q
    a[y] = sine * p + cosine * q
  }
}
