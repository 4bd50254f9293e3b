/** A plane through vectors on which they differ the most: principal component analysis. */
export interface Plane {
  place(vector: ArrayLike<number>): [number, number]
  /** The part of the variance that lies in the plane. */
  readonly shown: number
}

/** Vectors that the plane is made of, at most: a direction needs no more. */
const ENOUGH = 4096
/** Steps of a power iteration; the second of two near directions may be any of their plane. */
const STEPS = 200

/**
 * The plane of the first two principal components of `vectors`, `float32[rows, width]`. It is the same for the same
 * vectors, and another vector is placed as they are: a query lands among items by the same two directions, which is what
 * a layout that only keeps neighbours together (UMAP, t-SNE) has no exact place for.
 */
export function planeOf(vectors: Float32Array, rows: number): Plane {
  const width = rows === 0 ? 0 : vectors.length / rows
  const stride = Math.max(1, Math.ceil(rows / ENOUGH))
  const mean = new Float64Array(width)
  let count = 0
  for (let row = 0; row < rows; row += stride, count++)
    for (let i = 0; i < width; i++) mean[i] += vectors[row * width + i]
  for (let i = 0; i < width; i++) mean[i] /= count || 1
  const covariance = new Float64Array(width * width)
  const centred = new Float64Array(width)
  for (let row = 0; row < rows; row += stride) {
    for (let i = 0; i < width; i++) centred[i] = vectors[row * width + i] - mean[i]
    for (let i = 0; i < width; i++)
      for (let j = 0; j <= i; j++) covariance[i * width + j] += (centred[i] * centred[j]) / count
  }
  let total = 0
  for (let i = 0; i < width; i++) {
    total += covariance[i * width + i]
    for (let j = 0; j < i; j++) covariance[j * width + i] = covariance[i * width + j]
  }
  const [x, first] = component(covariance, width)
  for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) covariance[i * width + j] -= first * x[i] * x[j]
  const [y, second] = component(covariance, width)
  return {
    shown: total === 0 ? 0 : (first + second) / total,
    place(vector) {
      let [a, b] = [0, 0]
      for (let i = 0; i < width; i++) {
        const value = vector[i] - mean[i]
        a += value * x[i]
        b += value * y[i]
      }
      return [a, b]
    },
  }
}

/** The direction with the largest variance, and that variance: power iteration. */
function component(covariance: Float64Array, width: number): [Float64Array, number] {
  // No symmetry of the data should be orthogonal to it.
  let direction = Float64Array.from({ length: width }, (_, i) => 1 + ((i * 0.618) % 1))
  let variance = 0
  for (let step = 0; step < STEPS; step++) {
    const next = new Float64Array(width)
    for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) next[i] += covariance[i * width + j] * direction[j]
    variance = Math.hypot(...next)
    if (!(variance > 1e-20)) return [new Float64Array(width), 0]
    direction = next.map((value) => value / variance)
  }
  return [direction, variance]
}
