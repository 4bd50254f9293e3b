import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Metric, Similarity } from '../../../src/graph/index.ts'
import { ExactIndex } from '../../../src/search/exact.ts'
import { tensor } from '../../../src/tensor/index.ts'

const METRICS = ['dot', 'cosine', 'euclidean'] as const
const plain = (metric: Metric): Similarity => ({ metric, scale: 1, bias: 0, sigmoid: false })
const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `item ${i}`)
const at = (id: string): number => Number(id.slice('item '.length))

/** The metric of two vectors by its definition. */
function metricOf(metric: Metric, a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, v, i) => sum + v * y[i], 0)
  if (metric === 'dot') return dot(a, b)
  if (metric === 'euclidean') {
    const difference = a.map((v, i) => v - b[i])
    return Math.sqrt(dot(difference, difference))
  }
  const norms = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b))
  return norms === 0 ? 0 : dot(a, b) / norms
}

/** All items, the best first: numbers by nearness, then NaN, each in the items' own order. */
function ranked(metric: Metric, query: readonly number[], items: readonly (readonly number[])[]): [number, number][] {
  const scored = items.map((item, i): [number, number] => [i, metricOf(metric, query, item)])
  const nearest = (a: number, b: number) => (metric === 'euclidean' ? a - b : b - a)
  const numbers = scored.filter(([, score]) => !Number.isNaN(score))
  // Array.prototype.sort is stable: equal scores stay in order.
  return [...numbers.sort(([, a], [, b]) => nearest(a, b)), ...scored.filter(([, score]) => Number.isNaN(score))]
}

/** Whole numbers, so that sums are exact and equal scores are equal to the last bit. */
const whole = fc.integer({ min: -3, max: 3 })
const vectors = (width: number, value: fc.Arbitrary<number>) => fc.array(value, { minLength: width, maxLength: width })
const searches = (value: fc.Arbitrary<number>) =>
  fc.integer({ min: 1, max: 70 }).chain((width) =>
    fc.record({
      query: vectors(width, value),
      items: fc.array(vectors(width, value), { minLength: 1, maxLength: 40 }),
      k: fc.integer({ min: 1, max: 50 }),
    }),
  )

describe('exact search', () => {
  for (const metric of ['dot', 'euclidean'] as const) {
    test(`by ${metric} is a plain sort, equal scores in the items' order, cut at k`, () => {
      const value = fc.oneof({ weight: 40, arbitrary: whole }, { weight: 1, arbitrary: fc.constant(Number.NaN) })
      fc.assert(
        fc.property(searches(value), ({ query, items, k }) => {
          const index = new ExactIndex(named(items.length), Float32Array.from(items.flat()), plain(metric))
          const { ids, scores } = index.search(Float32Array.from(query), k)
          const expected = ranked(metric, query, items).slice(0, k)
          expect(ids.map(at)).toEqual(expected.map(([i]) => i))
          expect([...scores]).toEqual(expected.map(([, score]) => Math.fround(score)))
        }),
      )
    })
  }

  test('by cosine is a plain sort, to the last bits of a quotient', () => {
    fc.assert(
      fc.property(searches(whole), ({ query, items, k }) => {
        const index = new ExactIndex(named(items.length), Float32Array.from(items.flat()), plain('cosine'))
        const { ids, scores } = index.search(Float32Array.from(query), k)
        const expected = ranked('cosine', query, items).slice(0, k)
        expect(ids.length).toBe(Math.min(k, items.length))
        expect(new Set(ids).size).toBe(ids.length)
        ids.forEach((id, i) => {
          expect(scores[i]).toBeCloseTo(metricOf('cosine', query, items[at(id)]), 5)
          expect(scores[i]).toBeCloseTo(expected[i][1], 5)
        })
      }),
    )
  })

  test.each(Array.from({ length: 70 }, (_, i) => i + 1))(
    'reads all %i dimensions, and none of the next item',
    (width) => {
      // Item i differs from the query in dimension i alone; the last item is the query itself.
      const query = Array.from({ length: width }, (_, d) => (d % 5) + 1)
      const items = [...query.keys()].map((i) => query.map((v, d) => (d === i ? v + 2 : v)))
      const all = [...items, query]
      const index = new ExactIndex(named(all.length), Float32Array.from(all.flat()), plain('euclidean'))
      const { ids, scores } = index.search(Float32Array.from(query), all.length)
      expect(ids.map(at)).toEqual([width, ...items.keys()])
      expect([...scores]).toEqual([0, ...items.map(() => 2)])
      const dot = new ExactIndex(named(all.length), Float32Array.from(all.flat()), plain('dot'))
      expect(dot.search(Float32Array.from(query), 1).scores[0]).toBe(
        metricOf('dot', query, query) + 2 * Math.max(...query),
      )
    },
  )

  test.each(METRICS)('by %s gives equal items in their own order', (metric) => {
    const items = Float32Array.from({ length: 3 * 20 }, (_, i) => [1, 2, 3][i % 3])
    const { ids } = new ExactIndex(named(20), items, plain(metric)).search(Float32Array.of(3, 1, 2), 7)
    expect(ids.map(at)).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  test.each(METRICS)('by %s puts NaN last, never before a number', (metric) => {
    const items = Float32Array.of(Number.NaN, 0, -1, -1, Number.NaN, Number.NaN, 1, 1)
    const index = new ExactIndex(named(4), items, plain(metric))
    const { ids, scores } = index.search(Float32Array.of(1, 1), 4)
    expect(ids.map(at)).toEqual([3, 1, 0, 2])
    expect([...scores].map(Number.isNaN)).toEqual([false, false, true, true])
    expect(index.search(Float32Array.of(Number.NaN, 1), 2).ids.map(at)).toEqual([0, 1])
  })

  test('a vector of length 0 has the cosine 0 with everything', () => {
    const index = new ExactIndex(named(3), Float32Array.of(-1, -1, 0, 0, 2, 2), plain('cosine'))
    const { ids, scores } = index.search(Float32Array.of(5, 5), 3)
    expect(ids.map(at)).toEqual([2, 1, 0])
    expect([...scores]).toEqual([1, 0, -1])
    const none = index.search(Float32Array.of(0, 0), 3)
    expect(none.ids.map(at)).toEqual([0, 1, 2])
    expect([...none.scores].map(Math.abs)).toEqual([0, 0, 0])
  })

  test('scores carry scale, bias and logistic, and rank as scores', () => {
    const items = Float32Array.of(1, 2, 3)
    const by = (similarity: Similarity) => new ExactIndex(named(3), items, similarity).search(Float32Array.of(1), 3)
    const logistic = by({ metric: 'dot', scale: 2, bias: -4, sigmoid: true })
    expect(logistic.ids.map(at)).toEqual([2, 1, 0])
    expect(logistic.scores[0]).toBeCloseTo(1 / (1 + Math.exp(-2)), 6)
    expect(logistic.scores[1]).toBe(0.5)
    // A negative scale turns dot round: the largest score is the best. The nearest stays the nearest.
    const turned = by({ metric: 'dot', scale: -1, bias: 0, sigmoid: false })
    expect([turned.ids.map(at), [...turned.scores]]).toEqual([
      [0, 1, 2],
      [-1, -2, -3],
    ])
    const negative = by({ metric: 'euclidean', scale: -1, bias: 0, sigmoid: false })
    expect([negative.ids.map(at), [...negative.scores]]).toEqual([
      [0, 1, 2],
      [0, -1, -2],
    ])
    const distance = by({ metric: 'euclidean', scale: 2, bias: 1, sigmoid: false })
    expect([distance.ids.map(at), [...distance.scores]]).toEqual([
      [0, 1, 2],
      [1, 3, 5],
    ])
  })

  test('ranks by nearness where the logistic has no more digits', () => {
    const similarity = { metric: 'dot', scale: 100, bias: 0, sigmoid: true } as const
    const { ids, scores } = new ExactIndex(named(3), Float32Array.of(1, 3, 2), similarity).search(Float32Array.of(1), 3)
    expect([...scores]).toEqual([1, 1, 1])
    expect(ids.map(at)).toEqual([1, 2, 0])
  })

  test('gives all items where there are fewer than k, and none of none', () => {
    const index = new ExactIndex(['a', 'b'], Float32Array.of(1, 2), plain('dot'))
    expect(index.search(Float32Array.of(1), 1000).ids).toEqual(['b', 'a'])
    const empty = new ExactIndex([], new Float32Array(0), plain('dot')).search(Float32Array.of(1, 2), 5)
    expect([empty.ids, [...empty.scores]]).toEqual([[], []])
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses k = %d', (k) => {
    const index = new ExactIndex(['a'], Float32Array.of(1), plain('dot'))
    expect(() => index.search(Float32Array.of(1), k)).toThrow(RangeError)
    expect(() => index.search(Float32Array.of(1), k)).toThrow('k must be a positive integer')
  })

  test('refuses a query of another width, and vectors that are not of the items', () => {
    const index = new ExactIndex(['a'], Float32Array.of(1, 2), plain('dot'))
    expect(() => index.search(Float32Array.of(1), 1)).toThrow('the query has 1 dimensions, the items have 2')
    const embedded = tensor('float32', [1, 2], Float32Array.of(1, 2)) as unknown as Float32Array
    expect(() => index.search(embedded, 1)).toThrow('of a tensor of one row give the data')
    expect(() => new ExactIndex(['a', 'b'], new Float32Array(3), plain('dot'))).toThrow(RangeError)
    expect(() => new ExactIndex([], new Float32Array(3), plain('dot'))).toThrow('3 numbers are not vectors of 0 items')
  })
})
