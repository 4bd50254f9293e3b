import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Features } from '../../../src/engine/model.ts'
import { Batcher } from '../../../src/serve/batcher.ts'
import { Strings, type Tensor } from '../../../src/tensor/index.ts'

const FOREVER = Number.POSITIVE_INFINITY
const QUIET = { batch() {}, stage() {} }

/** Doubles x; the batches that were run, by their rows. */
function doubling(hasRows = true) {
  const runs: number[][] = []
  return {
    runs,
    runnable: {
      hasRows,
      evaluate({ x }: Features): Record<string, Tensor> {
        const rows = x as readonly number[]
        runs.push([...rows])
        if (rows.includes(13)) throw new RangeError('13 is refused')
        return {
          y: {
            dtype: 'float32',
            shape: [rows.length, 2],
            data: Float32Array.from(rows.flatMap((row) => [row, 2 * row])),
          },
          name: { dtype: 'string', shape: [rows.length], data: Strings.from(rows.map((row) => `row ${row}`)) },
        }
      },
    },
  }
}

const answer = ({ y, name }: Readonly<Record<string, Tensor>>) => {
  const names = name.data as Strings
  return { y: [...(y.data as Float32Array)], names: Array.from({ length: names.length }, (_, i) => names.text(i)) }
}
const ask = (batcher: Batcher, ...rows: readonly number[]) => batcher.submit({ x: rows }, rows.length, FOREVER, answer)
const wanted = (...rows: readonly number[]) => ({
  y: rows.flatMap((row) => [row, 2 * row]),
  names: rows.map((row) => `row ${row}`),
})

afterEach(() => {
  vi.useRealTimers()
})

describe('requests that come together', () => {
  test('are run as one, and each gets its own rows', async () => {
    const { runnable, runs } = doubling()
    const batcher = new Batcher(runnable, { maxRows: 8, maxWait: 0 }, QUIET)
    const round = () => Promise.all([ask(batcher, 1), ask(batcher, 2, 3), ask(batcher, 4)])
    for (let i = 0; i < 10; i++) expect(await round()).toEqual([wanted(1), wanted(2, 3), wanted(4)])
    // The first eight were held against each request alone.
    expect(runs).toHaveLength(8 * 4 + 2)
    expect(runs.slice(-2)).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ])
  })

  test('are cut at the most rows that may run together', async () => {
    const { runnable, runs } = doubling()
    const sizes: (readonly [number, number])[] = []
    const batcher = new Batcher(
      runnable,
      { maxRows: 3, maxWait: 0 },
      { ...QUIET, batch: (...size) => sizes.push(size) },
    )
    await Promise.all([ask(batcher, 1, 2), ask(batcher, 3, 4), ask(batcher, 5), ask(batcher, 1, 2, 3, 4, 5)])
    expect(sizes).toEqual([
      [2, 1],
      [3, 2],
      [5, 1],
    ])
    expect(runs[0]).toEqual([1, 2])
  })

  test('do not suffer from one that is refused', async () => {
    const { runnable } = doubling()
    const batcher = new Batcher(runnable, { maxRows: 8, maxWait: 0 }, QUIET)
    const settled = await Promise.allSettled([ask(batcher, 1), ask(batcher, 13), ask(batcher, 2)])
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(settled[2]).toMatchObject({ value: wanted(2) })
  })

  test('are run alone where the shapes do not say that there are rows, or batches are not wanted', async () => {
    for (const [hasRows, maxRows] of [
      [false, 8],
      [true, 1],
    ] as const) {
      const { runnable, runs } = doubling(hasRows)
      const batcher = new Batcher(runnable, { maxRows, maxWait: 0 }, QUIET)
      await Promise.all([ask(batcher, 1), ask(batcher, 2)])
      expect(runs).toEqual([[1], [2]])
    }
  })

  test('are run at once where they are not to be merged, without a timer', async () => {
    const { runnable, runs } = doubling()
    const answered = ask(new Batcher(runnable, { maxRows: 1, maxWait: 50 }, QUIET), 1)
    expect(runs).toEqual([[1]])
    expect(await answered).toEqual(wanted(1))
  })

  test('are run alone for good where a row depends on its neighbours', async () => {
    let runs = 0
    const batcher = new Batcher(
      {
        hasRows: true,
        evaluate({ x }) {
          runs++
          const rows = x as readonly number[]
          const sum = rows.reduce((a, b) => a + b, 0)
          return { y: { dtype: 'float32', shape: [rows.length], data: Float32Array.from(rows, (row) => row / sum) } }
        },
      },
      { maxRows: 8, maxWait: 0 },
      QUIET,
    )
    const share = (...rows: readonly number[]) =>
      batcher.submit({ x: rows }, rows.length, FOREVER, ({ y }) => [...(y.data as Float32Array)])
    for (let i = 0; i < 3; i++) expect(await Promise.all([share(1, 3), share(5)])).toEqual([[0.25, 0.75], [1]])
    expect(runs).toBe(3 + 2 + 2)
  })

  test('are run alone where an output has not one row each', async () => {
    const batcher = new Batcher(
      {
        hasRows: true,
        evaluate: ({ x }) => ({ y: { dtype: 'int32', shape: [1], data: Int32Array.of((x as number[]).length) } }),
      },
      { maxRows: 8, maxWait: 0 },
      QUIET,
    )
    const count = (...rows: readonly number[]) =>
      batcher.submit({ x: rows }, rows.length, FOREVER, ({ y }) => (y.data as Int32Array)[0])
    expect(await Promise.all([count(1, 2), count(3)])).toEqual([2, 1])
  })

  test('wait for as many as lately came together, not for ever, and not where each came alone', async () => {
    // The time is the test's: no machine is too slow for it.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { runnable, runs } = doubling()
    const batcher = new Batcher(runnable, { maxRows: 8, maxWait: 1000 }, QUIET)
    const later = () => new Promise((resolve) => setImmediate(resolve))
    await ask(batcher, 1)
    for (let i = 0; i < 12; i++) await Promise.all([1, 2, 3, 4].map((row) => ask(batcher, row)))
    runs.length = 0
    const first = ask(batcher, 1, 2)
    for (let i = 0; i < 3; i++) await later()
    expect(await Promise.all([first, ask(batcher, 3, 4)])).toEqual([wanted(1, 2), wanted(3, 4)])
    expect(runs).toEqual([[1, 2, 3, 4]])
    const alone = ask(batcher, 5)
    vi.advanceTimersByTime(999)
    await later()
    expect(runs).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(await alone).toEqual(wanted(5))
  })

  test('are not run past their deadline', async () => {
    const { runnable, runs } = doubling()
    const batcher = new Batcher(runnable, { maxRows: 8, maxWait: 0 }, QUIET)
    const late = batcher.submit({ x: [1] }, 1, performance.now() - 1, answer)
    const settled = await Promise.allSettled([late, ask(batcher, 2)])
    expect(settled[0]).toMatchObject({ status: 'rejected', reason: { status: 504 } })
    expect(runs).toEqual([[2]])
  })
})
