import { smallestOf } from '../rank.ts'

/** Points, the nearest first, and how far each is. */
export interface Neighbors {
  readonly points: readonly number[]
  readonly distances: readonly number[]
}

/** The `k` nearest of `points`, of equally near ones the lowest; what is NaN away is behind all others. */
export function nearestOf(points: Int32Array, distances: Float32Array, k: number): Neighbors {
  const best = smallestOf(points.length, Math.min(k, points.length), (i, j) => {
    const apart = distances[i] - distances[j]
    const last = Number(Number.isNaN(distances[i])) - Number(Number.isNaN(distances[j]))
    return (Number.isNaN(apart) ? last : apart) || points[i] - points[j]
  })
  return { points: best.map((i) => points[i]), distances: best.map((i) => distances[i]) }
}
