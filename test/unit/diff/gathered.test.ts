import { serialize } from 'node:v8'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Element, Gathered } from '../../../src/diff/gathered.ts'
import { Answers } from '../../../src/diff/outputs.ts'
import type { Model } from '../../../src/engine/model.ts'

/** Spearman's correlation by its definition, of numbers of which no two are equal: 1 - 6 Σd² / (n³ - n). */
function spearman(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]) => {
    const found: number[] = []
    for (const [rank, i] of [...values.keys()].sort((i, j) => values[i] - values[j]).entries()) found[i] = rank
    return found
  }
  const [x, y, n] = [ranks(a), ranks(b), a.length]
  return 1 - (6 * x.reduce((sum, rank, i) => sum + (rank - y[i]) ** 2, 0)) / (n ** 3 - n)
}

test('answers that are compared line by line are as far apart as all of them together', () => {
  const value = fc.oneof(
    fc.integer({ min: -9, max: 9 }),
    fc.constant(Number.NaN),
    fc.bigInt({ min: -9n, max: 2n ** 63n }),
  )
  const lines = fc.array(fc.array(fc.tuple(value, value), { maxLength: 4 }), { maxLength: 6 })
  fc.assert(
    fc.property(lines, (pairs) => {
      const gathered = new Gathered()
      for (const line of pairs)
        gathered.add(line.map(([a]) => a) as Element[], line.map(([, b]) => b) as Element[], false)
      const off = pairs.flat().map(([a, b]) => {
        if (Object.is(a, b)) return 0
        if (typeof a === 'bigint' && typeof b === 'bigint') return Math.abs(Number(a - b))
        return Number.isNaN(a) || Number.isNaN(b) ? Number.POSITIVE_INFINITY : Math.abs(Number(a) - Number(b))
      })
      expect(gathered.values).toBe(off.length)
      expect(gathered.distance.max).toBe(Math.max(0, ...off))
      expect(gathered.distance.mean).toBe(off.length === 0 ? 0 : off.reduce((sum, one) => sum + one, 0) / off.length)
    }),
  )
})

test('of many single scores so many are drawn that they rank as all do, and no more is held than of fewer', () => {
  const gathered = new Gathered()
  const [a, b]: [number[], number[]] = [[], []]
  const sizes: number[] = []
  for (let i = 0; i < 150_000; i++) {
    // Two sequences that agree in part, in an order that has nothing to do with their sizes.
    a.push(Math.sin(i * 12.9898) * 43758.5453)
    b.push(a[i] + Math.sin(i * 78.233) * 30000)
    gathered.add([a[i]], [b[i]], true)
    if (i === 70_000 || i === 149_999) sizes.push(serialize(gathered).length)
    if (i === 999) expect(gathered.rank).toBeCloseTo(spearman(a, b), 9)
  }
  expect(gathered.rank).toBeCloseTo(spearman(a, b), 2)
  expect(sizes[0]).toBeLessThan(1.3e6)
  expect(sizes[1]).toBe(sizes[0])
})

test('lines that cannot be compared are counted, and the first of them told', () => {
  const refuses = (why: string) =>
    ({
      structure: {},
      signature: () => {
        throw new Error(why)
      },
    }) as unknown as Model
  const answers = new Answers(refuses('a'), refuses('b'))
  for (let line = 1; line <= 1200; line++) answers.ask({ inputs: {} }, `x:${line}`)
  expect(answers.problems.slice(0, 2)).toEqual(['x:1: A refuses it: a', 'x:1: B refuses it: b'])
  expect([answers.problems.length, answers.untold]).toEqual([1000, 1400])
})
