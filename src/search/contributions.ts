import { EPSILON } from '../engine/similarity.ts'
import type { Metric } from '../graph/index.ts'

/** A dimension's part of a product or a cosine; of a distance, of its square. */
export interface Contribution {
  readonly dimension: number
  readonly query: number
  readonly item: number
  readonly contribution: number
}

/** What each dimension gives to the metric, as it is measured, the largest first, of equals the earlier. */
export function contributions(query: Float32Array, item: Float32Array, metric: Metric): Contribution[] {
  const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0)
  const whole =
    metric === 'cosine' ? Math.sqrt(Math.max(squares(query), EPSILON) * Math.max(squares(item), EPSILON)) : 1
  return Array.from(query, (value, dimension) => ({
    dimension,
    query: value,
    item: item[dimension],
    contribution: metric === 'euclidean' ? (value - item[dimension]) ** 2 : (value * item[dimension]) / whole,
  })).sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
}
