import type { Metric, Similarity } from '../../../src/graph/index.ts'
import type { SearchOptions } from '../../../src/search/datapoint.ts'
import { admits, type Item } from './datapoints.ts'

export function metricOf(metric: Metric, a: ArrayLike<number>, b: ArrayLike<number>): number {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) => {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += x[i] * y[i]
    return sum
  }
  if (metric === 'dot') return dot(a, b)
  if (metric === 'cosine') return dot(a, b) / Math.sqrt(Math.max(dot(a, a), 1e-12) * Math.max(dot(b, b), 1e-12))
  const difference = Array.from(a, (value, i) => value - b[i])
  return Math.sqrt(dot(difference, difference))
}

/** The definition: all that the filter admits by nearness, NaN last, then one after the other while there is room. */
export function plainly(
  list: readonly Item[],
  vectors: Float32Array,
  query: Float32Array,
  { metric, scale }: Similarity,
  { k, filter = {}, perCrowdingTag = Number.POSITIVE_INFINITY }: SearchOptions,
): string[] {
  const width = query.length
  const sign = metric === 'euclidean' || scale < 0 ? 1 : -1
  const scored = list
    .map((item, i) => ({ item, key: sign * metricOf(metric, query, vectors.subarray(i * width, (i + 1) * width)) }))
    .filter(({ item }) => admits(item, filter))
  const numbers = scored.filter(({ key }) => !Number.isNaN(key)).sort((a, b) => a.key - b.key)
  const crowds = new Map<string, number>()
  return [...numbers, ...scored.filter(({ key }) => Number.isNaN(key))]
    .filter(({ item: { crowdingTag = '' } }) => {
      const before = crowds.get(crowdingTag) ?? 0
      crowds.set(crowdingTag, before + 1)
      return crowdingTag === '' || before < perCrowdingTag
    })
    .slice(0, k)
    .map(({ item }) => item.id)
}
