import { describe, expect, test } from 'vitest'
import { compileKernels } from '../../../src/engine/variants.ts'
import type { Metric, Similarity } from '../../../src/graph/index.ts'
import type { PartitionOptions } from '../../../src/search/approximate/options.ts'
import { Partitions } from '../../../src/search/approximate/partitions.ts'
import { rankApproximately } from '../../../src/search/approximate/rank.ts'
import { Ranker, type RowQuery } from '../../../src/search/ranker.ts'
import { RowSet } from '../../../src/search/rowset.ts'
import { normal } from '../seeded.ts'

const kernels = await compileKernels()
const METRICS = ['dot', 'cosine', 'euclidean'] as const
const [WIDTH, ITEMS, QUERIES, K] = [24, 12_000, 40, 10]

/** Points about centres that lie about centres, as embeddings of categories do; queries are made as they are. */
function clustered(count: number, width: number, seed: number): Float32Array {
  const next = normal(seed)
  const centres = (of: number, spread: number) => Float32Array.from({ length: of * width }, () => spread * next())
  const [coarse, fine] = [centres(20, 2), centres(400, 0.8)]
  const points = new Float32Array(count * width)
  for (let i = 0; i < count; i++) {
    const own = (i * 7919) % 400
    for (let j = 0; j < width; j++)
      points[i * width + j] = coarse[(own % 20) * width + j] + fine[own * width + j] + 0.4 * next()
  }
  return points
}

const by = (metric: Metric, scale = 1): Similarity => ({ metric, scale, bias: 0, sigmoid: false })
const points = clustered(ITEMS + QUERIES, WIDTH, 3)
const items = points.subarray(0, ITEMS * WIDTH)
const queryOf = (i: number) => points.subarray((ITEMS + i) * WIDTH, (ITEMS + i + 1) * WIDTH)
const built = new Map(METRICS.map((metric) => [metric, Partitions.build(items, WIDTH, by(metric), {}, kernels)]))
const partitionsBy = (metric: Metric) => built.get(metric) as Partitions

const asking = (query: Float32Array, rest: Partial<RowQuery> = {}): RowQuery => ({
  ...{ query, k: K, within: null, perCrowd: null },
  ...rest,
})
const ranks = (metric: Metric, vectors = items, width = WIDTH) =>
  new Ranker(vectors, vectors.length / width, by(metric), null, null)

/** The share of the exact answer that is found, over all queries. */
function recall(metric: Metric, within: RowSet | null, options = {}): number {
  const ranker = ranks(metric)
  let [found, wanted] = [0, 0]
  for (let i = 0; i < QUERIES; i++) {
    const exact = ranker.rank([asking(queryOf(i), { within })])[0]
    const near = rankApproximately(partitionsBy(metric), ranker, asking(queryOf(i), { within }), null, options)
    const keys = new Map(near.map(([key, row]) => [row, key]))
    // What is found has the score that measuring gives, and nothing else comes.
    for (const [key, row] of near) {
      expect(key).toBe(ranker.key(queryOf(i), row))
      if (within !== null) expect(within.has(row)).toBe(true)
    }
    wanted += exact.length
    found += exact.filter(([, row]) => keys.has(row)).length
  }
  return found / wanted
}

test('cosines of vectors that have most of themselves in common are told apart', () => {
  // As those of many language models: 0.998 of each is the same.
  const [width, n] = [16, 8000]
  const shifted = clustered(n + QUERIES, width, 5).map((value) => 0.5 * value + 30)
  const vectors = shifted.subarray(0, n * width)
  const partitions = Partitions.build(vectors, width, by('cosine'), {}, kernels)
  const ranker = ranks('cosine', vectors, width)
  let found = 0
  for (let i = 0; i < QUERIES; i++) {
    const query = shifted.subarray((n + i) * width, (n + i + 1) * width)
    const exact = ranker.rank([asking(query)])[0]
    const near = new Set(rankApproximately(partitions, ranker, asking(query), null, {}).map(([, row]) => row))
    found += exact.filter(([, row]) => near.has(row)).length
  }
  expect(found / (QUERIES * K)).toBeGreaterThan(0.9)
})

describe.each(METRICS)('partitions by %s', (metric) => {
  test('find nearly all of the nearest in a share of the items', () => {
    expect(recall(metric, null, { fractionLeafNodesToSearchOverride: 0.05 })).toBeGreaterThan(0.95)
    for (let i = 0; i < QUERIES; i++) {
      const named = partitionsBy(metric).candidates(queryOf(i), { k: K, approximateNeighborCount: 150 })
      expect(named?.length).toBeLessThanOrEqual(150)
      expect(new Set(named).size).toBe(named?.length)
    }
  })

  test('find as many under a filter, however few it lets through', () => {
    const rows = Array.from({ length: ITEMS }, (_, row) => row)
    for (const share of [0.5, 0.1, 0.01, 0.001]) {
      const strewn = RowSet.of(
        ITEMS,
        rows.filter((row) => (Math.imul(row, 2_654_435_761) >>> 0) / 2 ** 32 < share),
      )
      const together = RowSet.of(
        ITEMS,
        rows.filter((row) => (row * 7919) % 400 < share * 400),
      )
      for (const within of [strewn, together])
        expect(
          recall(metric, within, { fractionLeafNodesToSearchOverride: 0.05 }),
          `${within.size} of ${ITEMS}`,
        ).toBeGreaterThan(0.95)
    }
  })

  test('find no less by measuring only what the codes do not rule out', () => {
    class Counting extends Ranker {
      measured = 0
      override key(query: Float32Array, row: number): number {
        this.measured++
        return super.key(query, row)
      }
    }
    const ranker = new Counting(items, ITEMS, by(metric), null, null)
    let [found, wanted, named] = [0, 0, 0]
    for (let i = 0; i < QUERIES; i++) {
      const all = new Set(partitionsBy(metric).candidates(queryOf(i), { k: K }))
      const best = ranks(metric).rank([asking(queryOf(i), { within: RowSet.of(ITEMS, [...all]) })])[0]
      const near = rankApproximately(partitionsBy(metric), ranker, asking(queryOf(i)), null, {})
      named += all.size
      wanted += best.length
      found += best.filter((entry) => near.some(([, row]) => row === entry[1])).length
    }
    expect(ranker.measured).toBeLessThan(0.9 * named)
    expect(found / wanted).toBeGreaterThan(0.99)
    // Who says how many has them measured.
    ranker.measured = 0
    rankApproximately(partitionsBy(metric), ranker, asking(queryOf(0)), null, { approximateNeighborCount: 150 })
    expect(ranker.measured).toBe(150)
  })

  test('measure on where codes tell items that are nearly equal no longer apart', () => {
    const next = normal(11)
    const tight = Float32Array.from({ length: 6_000 * 8 }, (_, i) => {
      const [row, place] = [Math.floor(i / 8), i % 8]
      return 3 * Math.sin((row % 10) * 12.9 + place * 7.7) + 0.05 * next()
    })
    const partitions = Partitions.build(tight, 8, by(metric), { leafNodeEmbeddingCount: 600 }, kernels)
    const ranker = ranks(metric, tight, 8)
    let [found, wanted] = [0, 0]
    for (let row = 0; row < 40; row++) {
      const query = tight.slice(row * 8, (row + 1) * 8).map((value) => value + 0.05 * next())
      const within = RowSet.of(6_000, [...(partitions.candidates(query, { k: K }) ?? [])])
      const near = rankApproximately(partitions, ranker, asking(query), null, {})
      const best = ranker.rank([asking(query, { within })])[0]
      wanted += best.length
      found += best.filter((entry) => near.some(([, one]) => one === entry[1])).length
    }
    expect(found / wanted).toBeGreaterThan(0.98)
  })

  test('say of items by their codes about what measuring says, the best first', () => {
    const ranker = ranks(metric)
    const mean = Float32Array.from({ length: WIDTH }, (_, i) => {
      let sum = 0
      for (let row = 0; row < ITEMS; row++) sum += items[row * WIDTH + i]
      return sum / ITEMS
    })
    for (let i = 0; i < QUERIES; i++) {
      const query = queryOf(i)
      const named = partitionsBy(metric).named(query, { k: K, approximateNeighborCount: 1_000 })
      const { rows, codes } = named as NonNullable<typeof named>
      expect(codes).toEqual(codes.toSorted((a, b) => b - a))
      const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value ** 2, 0)
      const seen = metric === 'euclidean' ? query.map((value, j) => value - mean[j]) : query
      const length = Math.sqrt(squares(seen))
      const meant = Array.from(rows, (row) => {
        const key = ranker.key(query, row)
        if (metric === 'cosine') return key
        return metric === 'dot' ? key / length : (length ** 2 - key ** 2) / 2
      })
      const off = meant.reduce((sum, value, j) => sum + Math.abs(value - codes[j]), 0) / meant.length
      expect(off).toBeLessThan(0.2 * (Math.max(...meant) - Math.min(...meant)))
    }
  })

  test('are not looked into on and on, and lose nothing by it', () => {
    const all = { k: K, fractionLeafNodesToSearchOverride: 1 }
    let [kept, looked] = [0, 0]
    for (let i = 0; i < QUERIES; i++) {
      const few = partitionsBy(metric).named(queryOf(i), { ...all, approximateNeighborCount: 30 })
      const every = partitionsBy(metric).named(queryOf(i), { ...all, approximateNeighborCount: ITEMS - 1 })
      const best = new Set(every?.rows.subarray(0, 30))
      kept += few?.rows.filter((row) => best.has(row)).length ?? 0
      looked += few?.leaves ?? 0
      expect(every?.leaves).toBe(partitionsBy(metric).stats().leaves)
    }
    expect(kept / (30 * QUERIES)).toBeGreaterThan(0.99)
    expect(looked / QUERIES).toBeLessThan(partitionsBy(metric).stats().leaves / 4)
  })

  test('know how far their items are spread', () => {
    const { centroids, spreads, mean } = partitionsBy(metric).arrays() as Record<string, Float32Array>
    const own = partitionsBy(metric).nearest(items)
    const [squares, sizes] = [new Float64Array(spreads.length), new Float64Array(spreads.length)]
    for (let row = 0; row < ITEMS; row++) {
      const item = items.subarray(row * WIDTH, (row + 1) * WIDTH)
      const unit = metric === 'cosine' ? 1 / Math.hypot(...item) : 1
      sizes[own[row]]++
      item.forEach((value, i) => {
        squares[own[row]] += (value * unit - mean[i] - centroids[own[row] * WIDTH + i]) ** 2
      })
    }
    for (const [leaf, spread] of spreads.entries())
      expect(spread).toBeCloseTo(Math.sqrt(squares[leaf] / Math.max(1, sizes[leaf])), 4)
  })

  test('find all where all partitions are looked into and all is measured', () => {
    const all = { fractionLeafNodesToSearchOverride: 1, approximateNeighborCount: ITEMS - 1 }
    const named = partitionsBy(metric).candidates(queryOf(0), { k: K, ...all }) as Uint32Array
    expect(named.length).toBe(ITEMS - 1)
    expect(recall(metric, null, all)).toBe(1)
  })

  test('come out the same each time, and through their arrays', () => {
    const again = Partitions.build(items, WIDTH, by(metric), {}, kernels)
    expect(again.arrays()).toEqual(partitionsBy(metric).arrays())
    const read = Partitions.from(structuredClone(partitionsBy(metric).arrays()), kernels)
    for (let i = 0; i < QUERIES; i++)
      expect(read.candidates(queryOf(i), { k: K })).toEqual(again.candidates(queryOf(i), { k: K }))
    expect(read.stats()).toEqual(again.stats())
    const other = Partitions.build(items, WIDTH, by(metric), { seed: 2 }, kernels)
    expect(other.arrays().centroids).not.toEqual(again.arrays().centroids)
  })

  test('take other vectors without learning anew', () => {
    const more = clustered(ITEMS + 3_000, WIDTH, 3)
    const refilled = partitionsBy(metric).refilled(more)
    expect(refilled.rows).toBe(ITEMS + 3_000)
    expect(refilled.arrays().centroids).toBe(partitionsBy(metric).arrays().centroids)
    const ranker = ranks(metric, more)
    const last = more.subarray(-WIDTH)
    const own = asking(last, { k: 1 })
    if (metric !== 'dot') expect(rankApproximately(refilled, ranker, own, null, {})[0][1]).toBe(ITEMS + 2_999)
    const { sizes } = partitionsBy(metric).refilled(items).arrays()
    expect(sizes).toEqual(partitionsBy(metric).arrays().sizes)
    const counted = new Uint32Array(sizes.length)
    for (const leaf of partitionsBy(metric).nearest(items)) counted[leaf]++
    expect(counted).toEqual(sizes)
  })

  test('leave it to measuring where they spare nothing or know nothing', () => {
    const partitions = partitionsBy(metric)
    const asked = (query: Float32Array, k: number, allowed: RowSet | null = null) =>
      partitions.candidates(query, { k, allowed })
    expect(asked(queryOf(0), ITEMS)).toBe(null)
    expect(asked(queryOf(0), ITEMS + 5)).toBe(null)
    expect(asked(new Float32Array(WIDTH), K)).toBe(null)
    expect(asked(queryOf(0).with(3, Number.NaN), K)).toBe(null)
    expect(asked(queryOf(0).with(3, Number.POSITIVE_INFINITY), K)).toBe(null)
    expect(asked(queryOf(0).with(3, 3e38), K)).toBe(null)
    expect(asked(queryOf(0), K, RowSet.none(ITEMS))).toBe(null)
    const ranker = ranks(metric)
    const everything = asking(queryOf(1), { k: ITEMS + 5 })
    expect(rankApproximately(partitions, ranker, everything, null, {})).toEqual(ranker.rank([everything])[0])
  })

  test('never miss an item that is infinite, and rank NaN last', () => {
    const odd = items.slice()
    odd.fill(Number.POSITIVE_INFINITY, 500 * WIDTH, 501 * WIDTH)
    odd[700 * WIDTH] = Number.NaN
    odd[900 * WIDTH + 3] = 3e38
    const partitions = Partitions.build(odd, WIDTH, by(metric), {}, kernels)
    expect(partitions.stats().odd).toBe(3)
    const ranker = ranks(metric, odd)
    const query = queryOf(2).map(Math.abs)
    const near = rankApproximately(partitions, ranker, asking(query), null, {})
    const exact = ranker.rank([asking(query)])[0]
    expect(near[0]).toEqual(exact[0])
    expect(near.every(([key]) => !Number.isNaN(key))).toBe(true)
    const allowed = RowSet.all(ITEMS)
    for (const row of [500, 900]) allowed.delete(row)
    const filtered = partitions.candidates(query, { k: K, allowed }) as Uint32Array
    expect(filtered.includes(700)).toBe(true)
    expect(filtered.includes(500) || filtered.includes(900)).toBe(false)
  })

  test('hold items that are all the same, or nearly none, or none', () => {
    const small: PartitionOptions = { leafNodeEmbeddingCount: 10 }
    for (const width of [1, 2, 3, 5, 8, 33])
      for (const count of [0, 1, 5, 300]) {
        const next = normal(width)
        const same = Float32Array.from({ length: width }, next)
        for (const vectors of [
          Float32Array.from({ length: count * width }, next),
          Float32Array.from({ length: count * width }, (_, i) => same[i % width]),
          new Float32Array(count * width),
        ]) {
          const partitions = Partitions.build(vectors, width, by(metric), small, kernels)
          const read = Partitions.from(partitions.arrays(), kernels)
          const ranker = new Ranker(vectors, count, by(metric), null, null)
          const asked = asking(same, { k: 3 })
          const near = rankApproximately(read, ranker, asked, null, {
            fractionLeafNodesToSearchOverride: 1,
            approximateNeighborCount: 250,
          })
          expect(near.length).toBe(Math.min(3, count))
          expect(near[0]?.[0]).toBe(ranker.rank([asked])[0][0]?.[0])
        }
      }
  })

  test('hold vectors wider than what is turned at once', () => {
    const wide = clustered(1_500, 150, 9)
    const options = { leafNodeEmbeddingCount: 60, iterations: 3, fractionLeafNodesToSearch: 0.5 }
    const partitions = Partitions.build(wide, 150, by(metric), options, kernels)
    const ranker = ranks(metric, wide, 150)
    let found = 0
    for (let row = 0; row < 20; row++) {
      const asked = asking(wide.subarray(row * 150, (row + 1) * 150))
      const exact = new Set(ranker.rank([asked])[0].map(([, one]) => one))
      found += rankApproximately(partitions, ranker, asked, null, {}).filter(([, one]) => exact.has(one)).length
    }
    expect(found / 200).toBeGreaterThan(0.95)
  })
})

test('crowding is held among the candidates, and exactly where too few are left', () => {
  const crowds = Uint32Array.from({ length: ITEMS }, (_, row) => (row * 7919) % 400)
  const ranker = new Ranker(items, ITEMS, by('dot'), null, crowds)
  for (const perCrowd of [1, 3]) {
    const asked = asking(queryOf(4), { perCrowd })
    const near = rankApproximately(partitionsBy('dot'), ranker, asked, crowds, { approximateNeighborCount: 100 })
    const exact = ranker.rank([asked])[0]
    expect(near.length).toBe(K)
    const sizes = new Map<number, number>()
    for (const [, row] of near) sizes.set(crowds[row], (sizes.get(crowds[row]) ?? 0) + 1)
    for (const [crowd, size] of sizes) if (crowd !== 0) expect(size).toBeLessThanOrEqual(perCrowd)
    if (perCrowd === 1) expect(near[0]).toEqual(exact[0])
  }
  const one = new Uint32Array(ITEMS).fill(1)
  const alone = new Ranker(items, ITEMS, by('dot'), null, one)
  const asked = asking(queryOf(4), { perCrowd: 1, k: 2 })
  expect(rankApproximately(partitionsBy('dot'), alone, asked, one, {})).toEqual(alone.rank([asked])[0])
})

describe('what is no partition', () => {
  test('a similarity of a negative scale is left to exact search, with the reason', () => {
    expect(Partitions.refusal(by('dot', -2))).toMatch('a scale of -2 asks for what is least alike')
    expect(Partitions.refusal(by('cosine', -1))).not.toBe(null)
    expect(Partitions.refusal(by('euclidean', -1))).toBe(null)
    expect(() => Partitions.build(items, WIDTH, by('dot', -2), {}, kernels)).toThrow('search exactly')
  })

  test.each<[string, PartitionOptions]>([
    ['leafNodeEmbeddingCount must be 1 or more, got 0', { leafNodeEmbeddingCount: 0 }],
    ['anisotropicQuantizationThreshold must be from 0 to less than 1, got 1', { anisotropicQuantizationThreshold: 1 }],
    ['iterations must be a whole number, got 1.5', { iterations: 1.5 }],
    ['fractionLeafNodesToSearch must be over 0 and at most 1, got 2', { fractionLeafNodesToSearch: 2 }],
  ])('%s', (message, options) => {
    expect(() => Partitions.build(items, WIDTH, by('dot'), options, kernels)).toThrow(new RangeError(message))
  })

  test('options of a query out of their range', () => {
    const ask = (options: object) => () => partitionsBy('dot').candidates(queryOf(0), { k: K, ...options })
    expect(ask({ fractionLeafNodesToSearchOverride: 0 })).toThrow('over 0 and at most 1, got 0')
    expect(ask({ approximateNeighborCount: 0 })).toThrow('approximateNeighborCount must be a positive integer, got 0')
  })

  test('vectors that are not rows of the width', () => {
    expect(() => Partitions.build(items, WIDTH - 1, by('dot'), {}, kernels)).toThrow('are not vectors of 23')
  })

  test('arrays that are missing, of another length, or that point outside', () => {
    const arrays = partitionsBy('euclidean').arrays()
    const { codes, ...rest } = arrays
    expect(() => Partitions.from(rest, kernels)).toThrow('must have codes, Uint8Array of')
    expect(() => Partitions.from({ ...arrays, codes: codes.slice(1) as Uint8Array }, kernels)).toThrow('codes')
    expect(() => Partitions.from({ ...arrays, heights: new Uint16Array(3) }, kernels)).toThrow('heights')
    expect(() => Partitions.from({ ...arrays, shape: Uint32Array.of(ITEMS, WIDTH, 7) }, kernels)).toThrow('metric 7')
    const sizes = (arrays.sizes as Uint32Array).with(0, 2 ** 31)
    expect(() => Partitions.from({ ...arrays, sizes }, kernels)).toThrow('no room for the 2147483648 items of leaf 0')
    const rows = (arrays.rows as Uint32Array).with(40, ITEMS)
    expect(() => Partitions.from({ ...arrays, rows }, kernels)).toThrow(`item ${ITEMS} of ${ITEMS}`)
  })
})
