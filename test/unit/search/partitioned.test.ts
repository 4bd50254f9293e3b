import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { compileKernels, type Datapoint, ItemIndex, type SearchOptions } from '../../../src/search/index.ts'

const kernels = await compileKernels()
const folder = mkdtempSync(join(tmpdir(), 'partitioned-'))
afterAll(() => rmSync(folder, { recursive: true }))

const [WIDTH, ITEMS, K] = [16, 9_000, 10]

/** A point near one of two hundred centres, the same for the same seed. */
function vector(seed: number): Float32Array {
  const noise = (at: number) => Math.sin(at * 78.233 + 0.5) * 43_758.5453
  const uniform = (at: number) => noise(at) - Math.floor(noise(at)) - 0.5
  return Float32Array.from({ length: WIDTH }, (_, i) => {
    return 4 * uniform((seed % 200) * WIDTH + i) + uniform(90_000 + seed * WIDTH + i)
  })
}

const item = (seed: number): Datapoint => ({
  id: `item ${seed}`,
  embedding: vector(seed),
  restricts: [{ namespace: 'genre', allow: [['drama', 'comedy', 'horror'][seed % 3]] }],
  crowdingTag: `studio ${seed % 50}`,
})
const items = Array.from({ length: ITEMS }, (_, seed) => item(seed))
const queries = Array.from({ length: 20 }, (_, i) => vector(ITEMS + 1 + i * 7))

/** The share of what exact search finds that approximate search finds, whose scores are the same. */
function recall(index: ItemIndex, options: Partial<SearchOptions> = {}): number {
  let [found, all] = [0, 0]
  for (const query of queries) {
    const exact = index.search(query, { ...options, k: K })
    const near = index.search(query, { approximate: true, ...options, k: K })
    const scores = new Map(near.ids.map((id, i) => [id, near.scores[i]]))
    for (const [i, id] of exact.ids.entries()) if (scores.has(id)) expect(scores.get(id)).toBe(exact.scores[i])
    found += exact.ids.filter((id) => scores.has(id)).length
    all += exact.ids.length
  }
  return found / all
}

describe('an index with partitions', () => {
  test('finds nearly all of the best, with a filter and crowding as without', async () => {
    const index = await ItemIndex.of(items, { similarity: 'cosine', kernels })
    expect(index.stats().partitions).toBe(null)
    expect(index.search(queries[0], { k: 3, approximate: true })).toEqual(index.search(queries[0], 3))
    const stats = await index.partition({ leafNodeEmbeddingCount: 50 })
    expect(stats).toMatchObject({ items: ITEMS, leaves: 180, odd: 0 })
    expect(index.stats().partitions).toEqual(stats)
    expect(recall(index)).toBeGreaterThan(0.95)
    expect(recall(index, { filter: { restricts: [{ namespace: 'genre', allow: ['horror'] }] } })).toBeGreaterThan(0.95)
    expect(recall(index, { perCrowdingTag: 1 })).toBeGreaterThan(0.9)
  })

  test('answers several queries each as it asks', async () => {
    const index = await ItemIndex.of(items, { similarity: 'dot', kernels })
    await index.partition()
    const options: SearchOptions[] = [{ k: 3 }, { k: 5, approximate: true }, { k: 2 }]
    const together = index.searchMany(queries.slice(0, 3), options)
    for (const [i, asked] of options.entries()) expect(together[i]).toEqual(index.search(queries[i], asked))
    expect(together.map(({ ids }) => ids.length)).toEqual([3, 5, 2])
  })

  test('keeps them in its file, and what was put in and taken out counts at once', async () => {
    const path = join(folder, 'films.index')
    const made = await ItemIndex.of(items, { similarity: 'euclidean', kernels })
    await made.save(path)
    const index = await ItemIndex.open(path, { kernels })
    await index.partition({ fractionLeafNodesToSearch: 0.1 })
    const best = index.search(queries[0], { k: 1, approximate: true }).ids[0]
    await index.remove([best])
    await index.upsert([{ ...item(1), id: 'new', embedding: queries[1] }])
    expect(index.search(queries[0], { k: K, approximate: true }).ids).not.toContain(best)
    expect(index.search(queries[1], { k: 1, approximate: true }).ids).toEqual(['new'])
    expect(recall(index)).toBeGreaterThan(0.95)
    await index.close()

    const again = await ItemIndex.open(path, { verify: true })
    expect(again.stats()).toMatchObject({ added: 1, removed: 1, partitions: { items: ITEMS } })
    expect(again.search(queries[1], { k: 1, approximate: true }).ids).toEqual(['new'])
    await again.compact()
    expect(again.stats()).toMatchObject({ items: ITEMS, added: 0, removed: 0, partitions: { items: ITEMS } })
    expect(again.search(queries[1], { k: 1, approximate: true }).ids).toEqual(['new'])
    await again.close()
    const last = await ItemIndex.open(path, { kernels })
    expect(last.stats().partitions).toEqual(again.stats().partitions)
    expect(recall(last)).toBeGreaterThan(0.95)
  })

  test('refuses options out of their range, partitions or none, and a similarity that wants the least alike', async () => {
    const index = await ItemIndex.of(items.slice(0, 50), { similarity: 'dot' })
    const ask = (approximate: object) => () => index.search(queries[0], { k: 1, approximate })
    expect(ask({ fractionLeafNodesToSearchOverride: 7 })).toThrow('at most 1, got 7')
    expect(ask({ approximateNeighborCount: 0.5 })).toThrow('must be a positive integer, got 0.5')
    const similarity = { metric: 'dot', scale: -1, bias: 0, sigmoid: false } as const
    const turned = await ItemIndex.of(items.slice(0, 50), { similarity })
    await expect(turned.partition()).rejects.toThrow('search exactly')
    expect(turned.search(queries[0], { k: 3, approximate: true })).toEqual(turned.search(queries[0], 3))
  })

  test.each(['dot', 'cosine', 'euclidean'] as const)(
    'from which all items were taken is read again, and takes others, by %s',
    async (similarity) => {
      const index = await ItemIndex.of(items.slice(0, 100), { similarity, kernels })
      await index.partition()
      await index.remove(items.slice(0, 100).map(({ id }) => id))
      await index.compact()
      const empty = await ItemIndex.open(index.toBytes(), { kernels })
      expect(empty.search(queries[0], { k: 3, approximate: true }).ids).toEqual([])
      await empty.upsert(items.slice(0, 500))
      await empty.compact()
      const read = await ItemIndex.open(empty.toBytes(), { kernels })
      expect(read.stats().partitions).toMatchObject({ items: 500 })
      expect(recall(read)).toBeGreaterThan(0.9)
    },
  )

  test('of no items, or one, answers as without', async () => {
    const none = await ItemIndex.of([], { similarity: 'dot', width: WIDTH })
    await none.partition()
    expect(none.search(queries[0], { k: 3, approximate: true }).ids).toEqual([])
    const one = await ItemIndex.of([item(4)], { similarity: 'dot' })
    await one.partition()
    expect(one.search(queries[0], { k: 3, approximate: true }).ids).toEqual(['item 4'])
  })
})
