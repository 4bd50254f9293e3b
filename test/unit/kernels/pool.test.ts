import { describe, expect, it } from 'vitest'
import { COMBINERS } from '../../../src/engine/kernels.ts'
import { expectClose, Host, randoms, VARIANTS } from './instance.ts'

const TABLE_ROWS = 9

/** tf.nn.embedding_lookup_sparse in double precision; an empty segment gives zeros. */
function pool(table: Float32Array, rows: readonly number[], weights: readonly number[], n: number, combiner: string) {
  const divisor = {
    sum: 1,
    mean: weights.reduce((sum, w) => sum + w, 0),
    sqrtn: Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0)),
  }[combiner]!
  return Array.from({ length: n }, (_, c) => {
    const sum = rows.reduce((total, row, i) => total + table[row * n + c] * weights[i], 0)
    return divisor === 0 ? 0 : sum / divisor
  })
}

describe.each(VARIANTS)('gather and pooling, %s', (variant) => {
  const host = new Host(variant, 4)

  it('gatherRows copies the rows of any width into rows of any stride', () => {
    const picked = [3, 0, 8, 8, 1]
    for (let n = 0; n <= 13; n++) {
      for (const outRow of [n, n + 5]) {
        host.reset()
        const values = randoms(TABLE_ROWS * n, n)
        const table = host.put(values, n % 4)
        const indices = host.putInts(picked)
        const out = host.put(new Float32Array(5 * outRow).fill(-7))
        const want = new Float32Array(5 * outRow).fill(-7)
        picked.forEach((row, i) => void want.set(values.subarray(row * n, row * n + n), i * outRow))
        const place = host.runInto([[out, 5 * outRow]], ({ gatherRows }) =>
          gatherRows(out, table, indices, 5, n, TABLE_ROWS, outRow),
        )
        expect(place).toBe(-1)
        expect(host.floats(out, 5 * outRow)).toEqual(want)
      }
    }
  })

  it.each([-1, TABLE_ROWS, 2 ** 31 - 1, -(2 ** 31)])('stops at the index %i and says where', (index) => {
    host.reset()
    const n = 3
    const values = randoms(TABLE_ROWS * n, 1)
    const table = host.put(values)
    const indices = host.putInts([0, 1, index, 2])
    const out = host.room(4 * n)
    const gathered = host.runInto([[out, 2 * n]], ({ gatherRows }) =>
      gatherRows(out, table, indices, 4, n, TABLE_ROWS, n),
    )
    expect(gathered).toBe(2)
    expect(host.floats(out, 2 * n)).toEqual(values.subarray(0, 2 * n))
    const splits = host.putInts([0, 1, 4])
    const pooled = host.runInto([[out, 2 * n]], ({ poolRows }) =>
      poolRows(out, table, indices, 0, splits, 2, n, TABLE_ROWS, COMBINERS.sum, n),
    )
    expect(pooled).toBe(2)
  })

  const modes = (['sum', 'mean', 'sqrtn'] as const).flatMap((combiner) =>
    [false, true].flatMap((weighted) => [false, true].map((indexed) => [combiner, weighted, indexed] as const)),
  )
  it.each(modes)('poolRows %s, weighted %s, indexed %s, equals double precision', (combiner, weighted, indexed) => {
    const splits = [0, 0, 1, 4, 4, 8, 9]
    const picked = indexed ? [3, 0, 8, 8, 1, 2, 2, 2, 5] : [0, 1, 2, 3, 4, 5, 6, 7, 8]
    const factors = weighted ? [0.5, 1, 2, -0.25, 3, 0.1, 1, 1, 0] : new Array<number>(9).fill(1)
    for (let n = 0; n <= 21; n++) {
      for (const outRow of [n, n + 2]) {
        host.reset()
        const values = randoms(TABLE_ROWS * n, n)
        const table = host.put(values, n % 4)
        const indices = indexed ? host.putInts(picked) : 0
        const weights = weighted ? host.put(factors) : 0
        const at = host.putInts(splits)
        const out = host.put(new Float32Array(6 * outRow).fill(-7), (n + 1) % 4)
        const want = new Float64Array(6 * outRow).fill(-7)
        for (let s = 0; s < 6; s++) {
          const range = [splits[s], splits[s + 1]] as const
          want.set(pool(values, picked.slice(...range), factors.slice(...range), n, combiner), s * outRow)
        }
        const place = host.runInto([[out, 6 * outRow]], ({ poolRows }) =>
          poolRows(out, table, indices, weights, at, 6, n, TABLE_ROWS, COMBINERS[combiner], outRow),
        )
        expect(place).toBe(-1)
        expectClose(host.floats(out, 6 * outRow), want, 2e-6, `width ${n}`)
      }
    }
  })

  it('gives zeros where the weights sum to 0, and NaN where a row has it', () => {
    host.reset()
    const table = host.put([1, 2, 3, 4, 5, 6, 7, 8, 9, Number.NaN])
    const weights = host.put([1, -1])
    const splits = host.putInts([0, 2])
    const out = host.room(5)
    const mean = host.run(out, 5, ({ poolRows }) =>
      poolRows(out, table, 0, weights, splits, 1, 5, 2, COMBINERS.mean, 5),
    )
    expect([...mean]).toEqual([0, 0, 0, 0, 0])
    const sum = host.run(out, 5, ({ poolRows }) => poolRows(out, table, 0, 0, splits, 1, 5, 2, COMBINERS.sum, 5))
    expect([...sum]).toEqual([7, 9, 11, 13, Number.NaN])
  })

  it('reads no byte past the table', () => {
    for (let n = 1; n <= 5; n++) {
      host.reset()
      const table = host.putLast(randoms(2 * n, n))
      const splits = host.putInts([0, 2])
      const out = host.room(n)
      expect(() => host.kernels.poolRows(out, table, 0, 0, splits, 1, n, 2, COMBINERS.mean, n)).not.toThrow()
    }
  })
})
