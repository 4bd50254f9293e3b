import { describe, expect, it } from 'vitest'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'

const sum = (row: readonly number[]): number => row.reduce((total, x) => total + x, 0)
const REDUCTIONS = {
  rowSum: sum,
  rowMean: (row: readonly number[]) => sum(row) / row.length,
  rowSumSquares: (row: readonly number[]) => sum(row.map((x) => x * x)),
  rowMax: (row: readonly number[]) => Math.max(...row),
  rowMin: (row: readonly number[]) => Math.min(...row),
}
const NAMES = Object.keys(REDUCTIONS) as (keyof typeof REDUCTIONS)[]

describe.each(VARIANTS)('reductions, %s', (variant) => {
  const host = new Host(variant, 4)

  const reduce = (name: keyof typeof REDUCTIONS, values: ArrayLike<number>, rows: number, n: number, skew = 0) => {
    host.reset()
    const x = host.put(values, skew)
    const out = host.room(rows, skew)
    return host.run(out, rows, (kernels) => kernels[name](out, x, rows, n))
  }

  it.each(NAMES)('%s equals double precision for every row length and alignment', (name) => {
    for (const rows of [0, 1, 2, 5]) {
      for (const n of [...Array.from({ length: 45 }, (_, i) => i), 1000, 1003]) {
        const values = randoms(rows * n, rows + n)
        const want = Array.from({ length: rows }, (_, r) =>
          REDUCTIONS[name](Array.from(values.subarray(r * n, (r + 1) * n))),
        )
        expectClose(
          reduce(name, values, rows, n, n % 4),
          want,
          1e-7 * (4 + Math.sqrt(n)) * (n / 2 + 1),
          `${rows} × ${n}`,
        )
      }
    }
  })

  it.each(NAMES)('%s is NaN where any element is, whichever', (name) => {
    for (const n of [1, 3, 4, 7, 16, 21, 35]) {
      for (let at = 0; at < n; at++) {
        const values = new Float32Array(2 * n).fill(1)
        values[at] = Number.NaN
        const got = reduce(name, values, 2, n)
        expect(got[0], `NaN at ${at} of ${n}`).toBeNaN()
        expect(got[1]).not.toBeNaN()
      }
    }
  })

  it.each(['rowMax', 'rowMin'] as const)('%s finds its element wherever it stands', (name) => {
    const sign = name === 'rowMax' ? 1 : -1
    for (let n = 1; n <= 21; n++) {
      for (let at = 0; at < n; at++) {
        const values = new Float32Array(n).fill(-5 * sign)
        values[at] = -2 * sign
        expect(reduce(name, values, 1, n)[0]).toBe(-2 * sign)
      }
    }
  })

  it('knows infinities', () => {
    const row = [1, Number.POSITIVE_INFINITY, 2, 3, 4]
    const got = NAMES.map((name) => reduce(name, row, 1, 5)[0])
    expect(got).toEqual([Infinity, Infinity, Infinity, Infinity, 1])
  })

  it.each(NAMES)('%s reads no byte past the end', (name) => {
    for (let n = 1; n <= 9; n++) {
      host.reset()
      const x = host.putLast(randoms(n, n))
      expect(() => host.kernels[name](host.room(1), x, 1, n)).not.toThrow()
    }
  })
})
