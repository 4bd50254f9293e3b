import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileKernels } from '../../../src/engine/variants.ts'
import type { Metric, Similarity } from '../../../src/graph/index.ts'
import { Attributes } from '../../../src/search/attributes.ts'
import { ExactIndex } from '../../../src/search/exact.ts'
import { ParallelIndex, type ShardThread } from '../../../src/search/parallel.ts'
import { Shard, type ShardData, type ShardReply } from '../../../src/search/shard.ts'
import { random } from '../seeded.ts'
import { filter, items } from './datapoints.ts'

// The answers of shards put together are those of one index; threads of the runtime's own are in test/cli/parallel.test.ts.

const kernels = await compileKernels()
const by = (metric: Metric): Similarity => ({ metric, scale: 1, bias: 0, sigmoid: false })

/** A thread in this one, to which everything goes as it would to another, and which answers a little later. */
function near(data: ShardData): ShardThread {
  const shard = new Shard({ ...data, vectors: data.vectors.slice() })
  let tell = (_: ShardReply) => {}
  return {
    post(queries, transfer) {
      const sent = structuredClone(queries, { transfer: [...transfer] })
      setTimeout(() => tell(structuredClone(shard.answer(sent))), data.first % 3)
    },
    listen(answered) {
      tell = answered
    },
    async end() {},
  }
}

describe('a parallel search', () => {
  test('answers as one thread does, whatever the filter, the crowds and the number of threads', async () => {
    const value = fc.oneof({ weight: 30, arbitrary: fc.integer({ min: -3, max: 3 }) }, fc.constant(Number.NaN))
    const searches = items({ maxLength: 200, size: 'max' }).chain((list) =>
      fc.record({
        list: fc.constant(list),
        metric: fc.constantFrom('dot', 'cosine', 'euclidean'),
        vectors: fc.array(value, { minLength: 2 * list.length, maxLength: 2 * list.length }),
        queries: fc.array(fc.array(value, { minLength: 2, maxLength: 2 }), { maxLength: 3 }),
        threads: fc.integer({ min: 1, max: 5 }),
        options: fc.record(
          { k: fc.integer({ min: 1, max: 250 }), filter, perCrowdingTag: fc.integer({ min: 1, max: 4 }) },
          { requiredKeys: ['k'] },
        ),
      }),
    )
    await fc.assert(
      fc.asyncProperty(searches, async ({ list, metric, vectors, queries, threads, options }) => {
        const ids = list.map(({ id }) => id)
        const index = new ExactIndex(ids, Float32Array.from(vectors), by(metric as Metric), {
          attributes: Attributes.of(list),
        })
        const parallel = await ParallelIndex.of(index, { threads, start: near })
        const asked = queries.map((query) => Float32Array.from(query))
        expect(await parallel.searchMany(asked, options)).toEqual(index.searchMany(asked, options))
      }),
      { numRuns: 150 },
    )
  })

  test('answers questions that overlap each with its own answer, by kernels', async () => {
    const [count, width] = [5_000, 16]
    const next = random(3)
    const vectors = Float32Array.from({ length: count * width }, next)
    const ids = Array.from({ length: count }, (_, i) => `${i}`)
    const index = new ExactIndex(ids, vectors, by('dot'))
    const parallel = await ParallelIndex.of(index, { threads: 2, kernels, start: near })
    const queries = Array.from({ length: 20 }, () => Float32Array.from({ length: width }, next))
    const found = await Promise.all(queries.map((query, i) => parallel.search(query, i + 1)))
    expect(found).toEqual(queries.map((query, i) => index.search(query, i + 1)))
  })

  test('of an empty index finds nothing', async () => {
    const index = new ExactIndex([], new Float32Array(0), by('dot'))
    const parallel = await ParallelIndex.of(index, { threads: 3, start: near })
    expect((await parallel.search(Float32Array.of(1), 2)).ids).toEqual([])
    expect(await parallel.searchMany([], 2)).toEqual([])
  })

  test('fails where a thread does, and refuses what one thread refuses', async () => {
    const index = new ExactIndex(['a'], Float32Array.of(1), by('dot'))
    let fail = (_: Error) => {}
    const start = (data: ShardData): ShardThread => ({
      ...near(data),
      post: () => fail(new Error('the thread is gone')),
      listen: (_, failed) => {
        fail = failed
      },
    })
    const parallel = await ParallelIndex.of(index, { threads: 1, start })
    await expect(parallel.search(Float32Array.of(1, 2), 1)).rejects.toThrow(
      'the query has 2 dimensions, the items have 1',
    )
    await expect(parallel.search(Float32Array.of(1), 1)).rejects.toThrow('the thread is gone')
    await expect(parallel.search(Float32Array.of(1), 1)).rejects.toThrow('the thread is gone')
    await expect(ParallelIndex.of(index, { threads: 0, start })).rejects.toThrow('threads must be a positive integer')
    const ended = await ParallelIndex.of(index, { threads: 1, start: near })
    await ended.end()
    await expect(ended.search(Float32Array.of(1), 1)).rejects.toThrow('the threads of this search have been ended')
  })
})
