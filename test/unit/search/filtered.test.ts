import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileKernels } from '../../../src/engine/variants.ts'
import type { Metric, Similarity } from '../../../src/graph/index.ts'
import { Attributes } from '../../../src/search/attributes.ts'
import type { SearchOptions } from '../../../src/search/datapoint.ts'
import { ExactIndex } from '../../../src/search/exact.ts'
import { random } from '../seeded.ts'
import { filter, type Item, items } from './datapoints.ts'
import { plainly } from './plainly.ts'

// Filters and crowding hold inside the search: the answer is that of a plain loop over what they let through.

const kernels = await compileKernels()
const METRICS = ['dot', 'cosine', 'euclidean'] as const
const by = (metric: Metric, scale = 1): Similarity => ({ metric, scale, bias: 0, sigmoid: false })

const filled = (length: number, make: (i: number) => number) => Float32Array.from({ length }, (_, i) => make(i))

describe('filtered search', () => {
  for (const metric of METRICS) {
    test(`by ${metric} is a plain loop over what the filter and the crowds let through`, () => {
      const value = fc.oneof(
        { weight: 30, arbitrary: fc.integer({ min: -3, max: 3 }) },
        { weight: 1, arbitrary: fc.constant(Number.NaN) },
      )
      const searches = fc.tuple(items({ maxLength: 40 }), fc.integer({ min: 1, max: 9 })).chain(([list, width]) =>
        fc.record({
          list: fc.constant(list),
          vectors: fc.array(value, { minLength: list.length * width, maxLength: list.length * width }),
          queries: fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 3 }),
          options: fc.record(
            { k: fc.integer({ min: 1, max: 50 }), filter, perCrowdingTag: fc.integer({ min: 1, max: 4 }) },
            { requiredKeys: ['k'] },
          ),
        }),
      )
      fc.assert(
        fc.property(searches, ({ list, vectors, queries, options }) => {
          const matrix = Float32Array.from(vectors)
          const attributes = Attributes.of(list)
          const index = new ExactIndex(
            list.map(({ id }) => id),
            matrix,
            by(metric),
            { attributes },
          )
          const asked = queries.map((query) => Float32Array.from(query))
          const want = asked.map((query) => plainly(list, matrix, query, by(metric), options))
          expect(asked.map((query) => index.search(query, options).ids)).toEqual(want)
          expect(index.searchMany(asked, options).map(({ ids }) => ids)).toEqual(want)
        }),
        { numRuns: 300 },
      )
    })
  }

  // Enough numbers for the kernels; a share of the items, strewn over them or all in one place, and few or many crowds.
  const [count, width] = [4_001, 40]
  const next = random(7)
  const matrix = filled(count * width, () => Math.round(4 * next() + 2 * next()) / 2)
  const list = Array.from({ length: count }, (_, i): Item => {
    const strewn = Math.imul(i, 2654435761) >>> 0
    return {
      id: `${i}`,
      crowdingTag: ['', 'all', `of ten ${strewn % 10}`, `of many ${strewn % 500}`][(strewn >>> 9) % 4],
      numericRestricts: [
        { namespace: 'strewn', type: 'int', value: BigInt(strewn % 1000) },
        { namespace: 'place', type: 'int', value: BigInt(Math.floor((i * 1000) / count)) },
      ],
    }
  })
  const attributes = Attributes.of(list)

  for (const metric of METRICS)
    for (const namespace of ['strewn', 'place'])
      test(`by ${metric} scans by kernels any share of the items, ${namespace}`, () => {
        for (const similarity of metric === 'dot' ? [by(metric), by(metric, -2)] : [by(metric)]) {
          const index = new ExactIndex(
            list.map(({ id }) => id),
            matrix,
            similarity,
            { kernels, attributes },
          )
          const query = filled(width, next)
          const options = [0, 1, 50, 105, 122, 125, 130, 300, 900, 1000].flatMap((share) =>
            [1, 300].flatMap((k) =>
              [undefined, 2].map((perCrowdingTag): SearchOptions => {
                const less = { namespace, type: 'int', op: 'LESS', value: BigInt(share) } as const
                return { k, filter: { numericRestricts: [less] }, ...(perCrowdingTag && { perCrowdingTag }) }
              }),
            ),
          )
          const want = options.map((own) => plainly(list, matrix, query, similarity, own))
          const queries = options.map(() => query)
          expect(index.searchMany(queries, options).map(({ ids }) => ids)).toEqual(want)
          for (const i of [0, 10, 14, 20, 30]) expect(index.search(query, options[i]).ids).toEqual(want[i])
        }
      })

  test('gives each of many queries its own answer', () => {
    const index = new ExactIndex(
      list.map(({ id }) => id),
      matrix,
      by('dot'),
      { kernels, attributes },
    )
    const plain = new ExactIndex(
      list.map(({ id }) => id),
      matrix,
      by('dot'),
    )
    const queries = Array.from({ length: 150 }, (_, i) =>
      filled(width, i % 40 === 7 ? () => Number.NaN : i % 40 === 9 ? () => 0 : next),
    )
    const options = queries.map((_, i) => ({ k: 1 + (i % 23) }))
    const want = queries.map((query, i) => plain.search(query, options[i]))
    expect(index.searchMany(queries, options)).toEqual(want)
    expect(index.searchMany([], 3)).toEqual([])
    expect(() => index.searchMany(queries, [{ k: 1 }])).toThrow('there are 150 queries and options for 1')
  })

  test('gives nothing where nothing matches, and where there is nothing', () => {
    const index = new ExactIndex(['a'], Float32Array.of(1, 2), by('dot'))
    expect(index.search(Float32Array.of(1, 1), { k: 3, filter: { include: [] } }).ids).toEqual([])
    const empty = new ExactIndex([], new Float32Array(0), by('dot'), { attributes: Attributes.of([]) })
    const options = { k: 3, filter: { restricts: [{ namespace: 'n', allow: ['t'] }] }, perCrowdingTag: 1 }
    expect(empty.search(Float32Array.of(1, 1), options).ids).toEqual([])
  })

  test('knows every row of an id that stands there twice', () => {
    const index = new ExactIndex(['a', 'b', 'a'], Float32Array.of(1, 2, 3), by('dot'))
    expect(index.search(Float32Array.of(1), { k: 3, filter: { exclude: ['a'] } }).ids).toEqual(['b'])
    expect(index.search(Float32Array.of(1), { k: 3, filter: { include: ['a'] } }).ids).toEqual(['a', 'a'])
  })

  test('refuses a limit that is no count, and attributes of other items', () => {
    const index = new ExactIndex(['a'], Float32Array.of(1), by('dot'))
    for (const perCrowdingTag of [0, 1.5, Number.NaN])
      expect(() => index.search(Float32Array.of(1), { k: 1, perCrowdingTag })).toThrow(
        `perCrowdingTag must be a positive integer, got ${perCrowdingTag}`,
      )
    expect(() => new ExactIndex(['a'], Float32Array.of(1), by('dot'), { attributes: Attributes.of([]) })).toThrow(
      'there are attributes of 0 items and ids of 1',
    )
  })
})
