import { EPSILON } from '../../engine/similarity.ts'
import type { Metric } from '../../graph/index.ts'

/** Past it squares leave float32. */
const MOST_LENGTH = 2 ** 60

/**
 * Vectors as products with a query rank them: of cosines unit vectors, of distances less the items' mean, so that a point far
 * away costs no digits.
 */
export class Rows {
  readonly vectors: Float32Array
  readonly width: number
  /** How many vectors. */
  readonly count: number
  private readonly metric: Metric
  private readonly mean: Float32Array

  /** @param mean `float32[width]`, of distances; else not looked at */
  constructor(vectors: Float32Array, width: number, metric: Metric, mean: Float32Array) {
    this.vectors = vectors
    this.width = width
    this.count = width === 0 ? 0 : vectors.length / width
    this.metric = metric
    this.mean = mean
  }

  /** Those that are finite and not so long that products are not, and the others. */
  sorted(): { usual: Uint32Array; odd: Uint32Array } {
    const { vectors, width, count } = this
    const usual = new Uint32Array(count)
    const odd: number[] = []
    let found = 0
    for (let row = 0; row < count; row++)
      // Not the other way round: nothing is known of NaN.
      if (squaresOf(vectors, row * width, width) < MOST_LENGTH ** 2) usual[found++] = row
      else odd.push(row)
    return { usual: usual.subarray(0, found), odd: Uint32Array.from(odd) }
  }

  /** `rows` one after the other: `float32[rows, width]`. */
  take(rows: Uint32Array): Float32Array {
    const { vectors, width, metric, mean } = this
    const taken = new Float32Array(rows.length * width)
    for (let i = 0, to = 0; i < rows.length; i++) {
      const from = rows[i] * width
      if (metric === 'euclidean') for (let j = 0; j < width; j++) taken[to++] = vectors[from + j] - mean[j]
      else {
        const unit = metric === 'cosine' ? 1 / Math.sqrt(Math.max(squaresOf(vectors, from, width), EPSILON)) : 1
        for (let j = 0; j < width; j++) taken[to++] = vectors[from + j] * unit
      }
    }
    return taken
  }
}

/** The mean of `rows`, which are all finite: `float32[width]`. */
export function meanOf(vectors: Float32Array, width: number, rows: Uint32Array): Float32Array {
  const sums = new Float64Array(width)
  for (const row of rows) for (let i = 0; i < width; i++) sums[i] += vectors[row * width + i]
  return Float32Array.from(sums, (sum) => sum / Math.max(1, rows.length))
}

export function squaresOf(values: Float32Array, from: number, width: number): number {
  let squares = 0
  for (let i = from; i < from + width; i++) squares += values[i] * values[i]
  return squares
}
