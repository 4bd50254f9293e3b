import { describe, expect, it } from 'vitest'
import { random } from '../seeded.ts'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'

const WORDS = 16

/** Whole numbers from 0 up to `end`. */
function whole(length: number, seed: number, end: number): number[] {
  const next = random(seed)
  return Array.from({ length }, () => Math.floor(((next() + 1) / 2) * end))
}

/** Codes (one a pair, item by item) as blocks of 32 items, 16 bytes a pair. */
function blocks(codes: number[], count: number, pairs: number): Int8Array {
  const bytes = new Uint8Array(Math.ceil(count / 32) * pairs * WORDS)
  for (let i = 0; i < count; i++)
    for (let m = 0; m < pairs; m++)
      bytes[Math.floor(i / 32) * pairs * WORDS + m * WORDS + (i % 16)] |= codes[i * pairs + m] << (i % 32 < 16 ? 0 : 4)
  return new Int8Array(bytes.buffer)
}

describe.each(VARIANTS)('scanCodes, %s', (variant) => {
  const host = new Host(variant, 32)
  const [scale, offset] = [Math.fround(0.37), Math.fround(-2.5)]

  interface Asked {
    readonly count: number
    readonly pairs: number
    readonly k: number
    readonly largest?: number
    readonly heights?: readonly number[]
    readonly rise?: number
    readonly allowed?: (row: number) => boolean
  }

  /** The heap's rows and scores, sorted, beside those of a plain loop. */
  function scanned({ count, pairs, k, largest = 63, heights, rise = 0, allowed }: Asked) {
    host.reset()
    const codes = whole(count * pairs, count + pairs, WORDS)
    const tables = whole(pairs * WORDS, pairs, largest + 1)
    const rows = Array.from({ length: count }, (_, i) => (i * 7 + 3) % 1024)
    const padded = Math.ceil(count / 32) * 32
    const [heap, t] = [host.room(2 * k), host.room(pairs * 4 + 17)]
    new Uint8Array(host.memory.buffer, t, tables.length).set(tables)
    const [c, r] = [host.putBytes(blocks(codes, count, pairs)), host.putInts([...rows, ...new Array(32).fill(0)])]
    const bits = new Int32Array(32)
    for (const row of rows) if (allowed?.(row)) bits[row >> 5] |= 1 << (row & 31)
    const b = allowed === undefined ? 0 : host.putInts(bits)
    const h =
      heights === undefined
        ? 0
        : host.putBytes(new Int8Array(Int16Array.from({ length: padded }, (_, i) => heights[i] ?? 0).buffer))
    const size = host.runInto(
      [
        [heap, 2 * k],
        [t + pairs * WORDS, 17],
      ],
      ({ scanCodes, topkSort }) => {
        const filled = scanCodes(heap, heap + 4 * k, 0, k, t, c, r, h, b, count, pairs, scale, offset, rise)
        topkSort(heap, heap + 4 * k, filled)
        return filled
      },
    )
    const want = rows
      .map((row, i) => {
        let sum = 0
        for (let m = 0; m < pairs; m++) sum += tables[m * WORDS + codes[i * pairs + m]]
        if (heights !== undefined) sum -= (heights[i] * rise + 2 ** 14) >> 15
        return { row, score: Math.fround(offset + Math.fround(scale * sum)) }
      })
      .filter(({ row }) => allowed?.(row) ?? true)
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, k)
    return {
      got: { rows: [...host.ints(heap + 4 * k, size)], scores: host.floats(heap, size).slice() },
      want: { rows: want.map(({ row }) => row), scores: want.map(({ score }) => score) },
    }
  }

  it('keeps the best sums of looked-up bytes, at every count and number of pairs', () => {
    for (const count of [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 300])
      for (const pairs of [4, 8, 12, 32])
        for (const k of [1, 10, 400]) {
          const { got, want } = scanned({ count, pairs, k })
          expect(got.rows, `${k} of ${count}, ${pairs} pairs`).toEqual(want.rows)
          expectClose(got.scores, want.scores, 1e-4)
        }
  })

  it('holds the largest sums', () => {
    const { got, want } = scanned({ count: 70, pairs: 520, k: 5, largest: 63 })
    expect(got.rows).toEqual(want.rows)
  })

  it('takes heights off, rounded to the nearest', () => {
    for (const count of [5, 32, 100]) {
      const heights = whole(count, 9, 32_768)
      for (const rise of [0, 1, 900, 32_767]) {
        const { got, want } = scanned({ count, pairs: 8, k: 12, heights, rise })
        expect(got.rows, `rise ${rise}`).toEqual(want.rows)
        expectClose(got.scores, want.scores, 1e-2)
      }
    }
  })

  it('offers the rows whose bit is set and no others', () => {
    for (const allowed of [() => false, (row: number) => row % 3 === 1, (row: number) => row === 3])
      for (const count of [31, 200]) {
        const { got, want } = scanned({ count, pairs: 8, k: 20, allowed })
        expect(got.rows).toEqual(want.rows)
      }
  })

  it('goes on with the heap of the leaf before', () => {
    host.reset()
    const [heap, t] = [host.room(4), host.room(16 + 17)]
    new Uint8Array(host.memory.buffer, t, 64).set(Array.from({ length: 64 }, (_, i) => i % 16))
    const leaf = (code: number) =>
      host.putBytes(
        blocks(
          Array.from({ length: 4 }, () => code),
          1,
          4,
        ),
      )
    const leaves = [3, 1, 7].map(leaf)
    const rows = [5, 9, 2].map((row) => host.putInts([row, ...new Array(31).fill(0)]))
    host.runInto(
      [
        [heap, 4],
        [t + 64, 17],
      ],
      ({ scanCodes, topkSort }) => {
        let size = 0
        for (const i of [0, 1, 2]) size = scanCodes(heap, heap + 8, size, 2, t, leaves[i], rows[i], 0, 0, 1, 4, 1, 0, 0)
        topkSort(heap, heap + 8, size)
      },
    )
    expect([...host.ints(heap + 8, 2)]).toEqual([2, 5])
    expect([...host.floats(heap, 2)]).toEqual([28, 12])
  })
})

describe.each(VARIANTS)('rowArgMax, %s', (variant) => {
  const host = new Host(variant, 16)

  const places = (rows: number, n: number, values: ArrayLike<number>): number[] => {
    host.reset()
    const [x, out] = [host.put(values), host.room(rows)]
    host.runInto([[out, rows]], ({ rowArgMax }) => rowArgMax(out, x, rows, n))
    return [...host.ints(out, rows)]
  }

  it('gives the place of the largest of each row', () => {
    for (const n of [4, 8, 12, 64, 100])
      for (const rows of [0, 1, 2, 7]) {
        const values = randoms(rows * n, n + rows)
        const want = Array.from({ length: rows }, (_, row) => {
          const own = [...values.subarray(row * n, (row + 1) * n)]
          return own.indexOf(Math.max(...own))
        })
        expect(places(rows, n, values)).toEqual(want)
      }
  })

  it('takes the first of equals, in whatever lane', () => {
    for (let first = 0; first < 12; first++)
      for (let second = first; second < 12; second++) {
        const row = Array.from({ length: 12 }, (_, i) => (i === first || i === second ? 2 : 1))
        expect(places(1, 12, row)).toEqual([first])
      }
  })

  it('passes over NaN, takes infinities, and says 0 where there is nothing else', () => {
    expect(places(1, 8, [Number.NaN, 1, 3, Number.NaN, 2, 0, 0, 0])).toEqual([2])
    expect(places(1, 4, [1, Number.POSITIVE_INFINITY, 2, 3])).toEqual([1])
    expect(places(1, 4, new Array(4).fill(Number.NaN))).toEqual([0])
    expect(places(1, 4, new Array(4).fill(Number.NEGATIVE_INFINITY))).toEqual([0])
  })
})

describe.each(VARIANTS)('encodePairs, %s', (variant) => {
  const host = new Host(variant, 16)

  function encoded(rows: number, pairs: number, weight: number, passes: number, along: boolean) {
    host.reset()
    const x = randoms(rows * 2 * pairs, rows + pairs)
    const books = randoms(pairs * 2 * WORDS, pairs)
    const units = randoms(rows * 2 * pairs, 77, 0.5)
    const [at, u, b] = [host.put(x), along ? host.put(units) : 0, host.put(books)]
    const words = Math.ceil((rows * pairs) / 4)
    const out = host.room(words)
    host.runInto([[out, words]], ({ encodePairs }) => encodePairs(out, at, u, b, rows, pairs, weight, passes))
    const codes = [...new Uint8Array(host.memory.buffer, out, rows * pairs)]
    /** Σ e² + weight · (Σ e · along)² of a row by codes. */
    const cost = (row: number, own: readonly number[]): number => {
      let [squares, drift] = [0, 0]
      for (let m = 0; m < pairs; m++)
        for (const i of [0, 1]) {
          const place = (row * pairs + m) * 2 + i
          const error = x[place] - books[m * 2 * WORDS + i * WORDS + own[m]]
          squares += error * error
          drift += along ? error * units[place] : 0
        }
      return squares + weight * drift * drift
    }
    return { codes, cost }
  }

  it('names the nearest codeword of each pair', () => {
    for (const pairs of [1, 4, 7])
      for (const rows of [0, 1, 4, 12]) {
        const { codes, cost } = encoded(rows, pairs, 0, 3, false)
        for (let row = 0; row < rows; row++)
          for (let m = 0; m < pairs; m++) {
            const own = codes.slice(row * pairs, (row + 1) * pairs)
            const costs = Array.from({ length: WORDS }, (_, code) => cost(row, own.with(m, code)))
            expect(costs[own[m]]).toBeLessThanOrEqual(Math.min(...costs) + 1e-6)
          }
      }
  })

  it('leaves no pair that another codeword would make better, given the others', () => {
    const [rows, pairs, weight] = [12, 8, 3]
    const { codes, cost } = encoded(rows, pairs, weight, 40, true)
    for (let row = 0; row < rows; row++) {
      const own = codes.slice(row * pairs, (row + 1) * pairs)
      for (let m = 0; m < pairs; m++)
        for (let code = 0; code < WORDS; code++)
          expect(cost(row, own)).toBeLessThanOrEqual(cost(row, own.with(m, code)) + 1e-5)
    }
  })

  it('takes the first codeword where nothing compares', () => {
    host.reset()
    const [at, b, out] = [host.put([Number.NaN, 0]), host.put(randoms(32, 5)), host.room(1)]
    host.runInto([[out, 1]], ({ encodePairs }) => encodePairs(out, at, 0, b, 1, 1, 0, 0))
    expect(new Uint8Array(host.memory.buffer, out, 1)[0]).toBe(0)
  })
})
