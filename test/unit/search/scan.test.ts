import { describe, expect, test, vi } from 'vitest'
import { compileKernels } from '../../../src/engine/variants.ts'
import type { Metric, Similarity } from '../../../src/graph/index.ts'
import { ExactIndex } from '../../../src/search/exact.ts'
import { Nibbles } from '../../../src/search/nibbles.ts'
import { RowSet } from '../../../src/search/rowset.ts'
import { Scan } from '../../../src/search/scan.ts'
import { roundedFrom, type ScanItems } from '../../../src/search/scanitems.ts'
import { normal } from '../seeded.ts'

// A scan by kernels only says which items are worth measuring: what search answers must not depend on it.

const kernels = await compileKernels()
const METRICS = ['dot', 'cosine', 'euclidean'] as const

const filled = (length: number, make: (i: number) => number) => Float32Array.from({ length }, (_, i) => make(i))

function expectSame(vectors: Float32Array, width: number, query: Float32Array, similarity: Similarity): void {
  const ids = Array.from({ length: vectors.length / width }, (_, i) => String(i))
  const [scanned, measured] = [
    new ExactIndex(ids, vectors, similarity, kernels),
    new ExactIndex(ids, vectors, similarity),
  ]
  for (const k of [1, 2, 10, 100, ids.length - 1, ids.length + 5, 2 ** 31])
    expect(scanned.search(query, k)).toEqual(measured.search(query, k))
}

const by = (metric: Metric, scale = 1): Similarity => ({ metric, scale, bias: 0, sigmoid: false })

describe('a scan by kernels', () => {
  for (const metric of METRICS) {
    test(`by ${metric} finds what measuring every item finds, at every width`, () => {
      for (const width of [1, 3, 4, 7, 16, 33, 64, 70]) {
        const next = normal(width)
        const vectors = filled(Math.ceil(20_000 / width) * width, next)
        for (const scale of [1, -2.5]) expectSame(vectors, width, filled(width, next), by(metric, scale))
      }
    })

    test(`by ${metric} keeps the items' order among equals`, () => {
      const next = normal(5)
      const vectors = filled(9_000 * 2, () => Math.round(next()))
      expectSame(vectors, 2, Float32Array.of(1, -1), by(metric))
      expectSame(vectors, 2, Float32Array.of(0, 0), by(metric))
    })

    test(`by ${metric} tells apart what float32 sums cannot`, () => {
      const [width, next] = [64, normal(11)]
      const one = filled(width, next)
      const vectors = filled(400 * width, (i) => one[i % width] * (1 + next() * 1e-6))
      expectSame(vectors, width, one, by(metric))
    })

    test(`by ${metric} of numbers without bounds, or none at all`, () => {
      const [width, next] = [8, normal(3)]
      for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, 3e38, 1e-45, 0]) {
        const vectors = filled(4_000 * width, (i) => (i % 997 === 0 ? odd : next()))
        const query = filled(width, next)
        expectSame(vectors, width, query, by(metric))
        expectSame(vectors, width, query.with(0, odd), by(metric))
      }
      expectSame(
        filled(4_000 * width, () => next() * 1e-30),
        width,
        filled(width, next),
        by(metric),
      )
    })

    test(`by ${metric} of items that differ little from their mean, or much in length`, () => {
      const [width, next] = [24, normal(29)]
      const mean = filled(width, () => 40 * next())
      const query = filled(width, next)
      for (const spread of [1, 1e-2, 1e-5]) {
        const near = filled(2_000 * width, (i) => mean[i % width] + spread * next())
        expectSame(near, width, query, by(metric))
        expectSame(near, width, mean, by(metric))
      }
      const long = filled(2_000 * width, (i) => next() * 2 ** ((Math.floor(i / width) % 41) - 20))
      for (const scale of [1, -1]) expectSame(long, width, query, by(metric, scale))
    })

    test(`by ${metric} names few items besides the nearest`, () => {
      const [width, next] = [64, normal(17)]
      const vectors = filled(5_000 * width, next)
      const scan = new Scan(roundedFrom(kernels, vectors, width, metric) as ScanItems)
      const named = scan.candidates([{ query: filled(width, next), k: 20, farthest: false }])[0] as Int32Array
      expect(named.length).toBeGreaterThanOrEqual(20)
      expect(named.length).toBeLessThan(30)
    })

    test(`by ${metric} names no item past the last, of any number of them`, () => {
      const [width, next] = [16, normal(19)]
      for (const rows of [1_001, 1_002, 1_003, 1_004]) {
        const scan = new Scan(roundedFrom(kernels, filled(rows * width, next), width, metric) as ScanItems)
        const [named] = scan.candidates([{ query: filled(width, next), k: rows - 1, farthest: false }])
        expect(Math.max(...(named as Int32Array))).toBeLessThan(rows)
      }
    })
  }

  // More than are scanned together, so that all but the first of them are looked at coarsely.
  const ROWS = 30_007
  const KINDS: Record<string, (row: number, next: () => number) => number> = {
    even: (_, next) => next(),
    'many of which are equal': (_, next) => Math.round(next()),
    'each nearer than the one before': (row, next) => (row / ROWS + 0.01 * next()) * Math.sign(next()),
    'with a stretch of outliers': (row, next) => next() * (row % 20_000 > 12_000 && next() > 1 ? 50 : 1),
    'of many lengths, and some zero': (row, next) => (row % 11 === 0 ? 0 : next() * 2 ** (row % 40)),
  }
  for (const metric of METRICS)
    for (const [kind, make] of Object.entries(KINDS))
      test(`by ${metric} looks coarsely at many items ${kind}, and finds the same`, () => {
        for (const width of [5, 32]) {
          const next = normal(width + 2)
          const vectors = filled(ROWS * width, (i) => make(Math.floor(i / width), next))
          const ids = Array.from({ length: ROWS }, (_, i) => String(i))
          const scanned = new ExactIndex(ids, vectors, by(metric), kernels)
          const measured = new ExactIndex(ids, vectors, by(metric))
          const queries = [
            filled(width, next),
            vectors.slice(7 * width, 8 * width),
            filled(width, (i) => (i === 1 ? 1 : 0)),
          ]
          for (const k of [1, 12, 150])
            expect(scanned.searchMany(queries, k)).toEqual(queries.map((query) => measured.search(query, k)))
          const within = RowSet.of(
            ROWS,
            Array.from({ length: ROWS }, (_, i) => i).filter((i) => i % 3 === 1 || i > 25_000),
          )
          const asked = queries.map((query) => ({ query, k: 12, within, perCrowd: null }))
          expect(scanned.ranker.rank(asked)).toEqual(measured.ranker.rank(asked))
        }
      })

  test('looks coarsely at each chunk but the first, and leaves it where that leaves too many', () => {
    const looks = vi.spyOn(Nibbles.prototype, 'reaching')
    const [width, next] = [32, normal(23)]
    const even = filled(60_000 * width, next)
    // Where one number is large the bytes of the others are small, and of no account is the large one.
    const rough = even.map((value, i) => (i % width === 0 ? 60 * Math.sign(value) : value))
    for (const [vectors, times] of [
      [even, 7],
      [rough, 2],
    ] as const) {
      looks.mockClear()
      const scan = new Scan(roundedFrom(kernels, vectors, width, 'dot') as ScanItems)
      scan.candidates([{ query: filled(width, next).with(0, 0), k: 5, farthest: false }])
      expect(looks).toHaveBeenCalledTimes(times)
    }
    looks.mockRestore()
  })
})
