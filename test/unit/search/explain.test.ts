import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Metric, Similarity } from '../../../src/graph/index.ts'
import { Attributes } from '../../../src/search/attributes.ts'
import type { SearchOptions } from '../../../src/search/datapoint.ts'
import { ExactIndex } from '../../../src/search/exact.ts'
import { Explainer } from '../../../src/search/explain.ts'
import { admits, filter, type Item, items } from './datapoints.ts'
import { metricOf, plainly } from './plainly.ts'

const by = (metric: Metric, scale = 1): Similarity => ({ metric, scale, bias: 0, sigmoid: false })

const explained = (
  list: readonly Item[],
  vectors: number[],
  query: number[],
  s: Similarity,
  options: SearchOptions,
) => {
  const ids = list.map(({ id }) => id)
  const index = new ExactIndex(ids, Float32Array.from(vectors), s, { attributes: Attributes.of(list) })
  return new Explainer(index, Float32Array.from(query), options)
}

describe('an explanation', () => {
  for (const metric of ['dot', 'cosine', 'euclidean'] as const)
    test(`by ${metric} says where a plain loop puts every item, and why`, () => {
      const value = fc.integer({ min: -3, max: 3 })
      const width = 3
      const searches = items({ minLength: 1, maxLength: 15 }).chain((list) =>
        fc.record({
          list: fc.constant(list),
          vectors: fc.array(value, { minLength: list.length * width, maxLength: list.length * width }),
          query: fc.array(value, { minLength: width, maxLength: width }),
          options: fc.record(
            { k: fc.integer({ min: 1, max: 20 }), filter, perCrowdingTag: fc.integer({ min: 1, max: 3 }) },
            { requiredKeys: ['k'] },
          ),
        }),
      )
      fc.assert(
        fc.property(searches, ({ list, vectors, query, options }) => {
          const matrix = Float32Array.from(vectors)
          const plain = (own: Omit<SearchOptions, 'k'>, k = 100) =>
            plainly(list, matrix, Float32Array.from(query), by(metric), { ...own, k })
          const { filter = {} } = options
          const [all, matching, uncrowded, answer] = [
            plain({}),
            plain({ filter }),
            plain(options),
            plain(options, options.k),
          ]
          const explainer = explained(list, vectors, query, by(metric), options)
          for (const [i, item] of list.entries()) {
            const found = explainer.explain(item.id, 100)
            const place = (ids: string[]) => (ids.includes(item.id) ? ids.indexOf(item.id) + 1 : null)
            expect(found.rank).toBe(place(all))
            expect(found.filteredRank).toBe(place(matching))
            expect(found.place).toBe(place(answer))
            expect(found.missing).toBe(
              place(answer) !== null
                ? null
                : place(matching) === null
                  ? 'filter'
                  : place(uncrowded) === null
                    ? 'crowding'
                    : 'k',
            )
            expect(found.conditions.every(({ holds }) => holds)).toBe(admits(item, filter))
            const vector = vectors.slice(i * width, (i + 1) * width)
            expect(found.metric).toBe(metricOf(metric, query, vector))
            const whole = found.contributions.reduce((sum, { contribution }) => sum + contribution, 0)
            expect(metric === 'euclidean' ? Math.sqrt(whole) : whole).toBeCloseTo(found.metric, 9)
            const tag = item.crowdingTag ?? ''
            const mates = matching.filter((id) => list.find((other) => other.id === id)?.crowdingTag === tag)
            const before = mates.filter((id) => all.indexOf(id) < all.indexOf(item.id)).length
            expect(found.crowding).toEqual(tag === '' ? null : { tag, before, limit: options.perCrowdingTag ?? null })
          }
        }),
        { numRuns: 200 },
      )
    })

  test('tells in words what stopped an item', () => {
    const list: Item[] = [
      {
        id: 'gilda',
        restricts: [{ namespace: 'genre', allow: ['noir', 'drama'], deny: ['war'] }],
        numericRestricts: [{ namespace: 'year', type: 'int', value: 1946n }],
      },
    ]
    const options: SearchOptions = {
      k: 1,
      filter: {
        restricts: [
          { namespace: 'genre', allow: ['war', 'noir'] },
          { namespace: 'color', deny: ['red'] },
        ],
        numericRestricts: [
          { namespace: 'year', type: 'int', op: 'GREATER', value: 1950n },
          { namespace: 'year', type: 'float', op: 'LESS', value: 2000 },
          { namespace: 'price', type: 'double', op: 'LESS', value: 0.5 },
        ],
        include: ['gilda'],
        exclude: ['laura'],
      },
    }
    const found = explained(list, [1, 2], [3, 4], { ...by('dot', 2), bias: 1 }, options).explain('gilda', 1)
    expect(found).toEqual({
      id: 'gilda',
      score: 23,
      metric: 11,
      rank: 1,
      filteredRank: null,
      place: null,
      missing: 'filter',
      contributions: [{ dimension: 1, query: 4, item: 2, contribution: 8 }],
      conditions: [
        { condition: 'is one of those to be included', item: 'gilda', holds: true },
        { condition: 'is none of those to be excluded', item: 'gilda', holds: true },
        { condition: '"genre" allows war or noir', item: 'allows noir or drama, denies war', holds: false },
        { condition: '"color" denies red', item: 'has nothing there', holds: true },
        { condition: '"year" is GREATER 1950, int', item: '1946, int', holds: false },
        { condition: '"year" is LESS 2000, float', item: '1946, int', holds: false },
        { condition: '"price" is LESS 0.5, double', item: 'has no number there', holds: false },
      ],
      crowding: null,
    })
  })

  test('of an id that is not there is refused', () => {
    expect(() => explained([{ id: 'a' }], [1], [1], by('dot'), { k: 1 }).explain('z')).toThrow(
      'the index has no item "z"',
    )
  })
})
