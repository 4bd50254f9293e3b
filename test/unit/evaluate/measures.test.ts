import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judged } from '../../../src/evaluate/judged.ts'
import { MEASURES, type MeasureName } from '../../../src/evaluate/measures.ts'

interface Recorded {
  readonly queries: readonly {
    readonly ranked: readonly string[]
    readonly relevant: Readonly<Record<string, number>>
  }[]
  readonly at: Readonly<Record<string, Readonly<Record<MeasureName, readonly number[]>>>>
}

const golden = new URL('../../fixtures/evaluate/measures.json', import.meta.url)
const { queries, at } = JSON.parse(readFileSync(golden, 'utf8')) as Recorded
const judgements = queries.map(({ ranked, relevant }) => judged(ranked, new Map(Object.entries(relevant))))

describe('the measures of a ranking', () => {
  for (const name of Object.keys(MEASURES) as MeasureName[])
    test(`${name} is what trec_eval says, at every k`, () => {
      for (const [k, wanted] of Object.entries(at))
        for (const [i, one] of judgements.entries())
          expect(MEASURES[name](one, Number(k)), `query ${i} at ${k}`).toBeCloseTo(wanted[name][i], 12)
    })

  test('lie between 0 and 1, and are 0 where nothing is found', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String))
    const grades = fc.dictionary(fc.integer({ min: 0, max: 30 }).map(String), fc.integer({ min: 1, max: 5 }), {
      minKeys: 1,
    })
    fc.assert(
      fc.property(ids, grades, fc.integer({ min: 1, max: 40 }), (ranked, relevant, k) => {
        const one = judged(ranked, new Map(Object.entries(relevant)))
        const hit = ranked.slice(0, k).some((id) => relevant[id] !== undefined)
        for (const measure of Object.values(MEASURES)) {
          const value = measure(one, k)
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(1 + 1e-12)
          expect(value > 0).toBe(hit)
        }
      }),
    )
  })

  test('count an item that stands in a list twice where it stands first', () => {
    expect(judged(['a', 'b', 'a'], new Map([['a', 2]])).gains).toEqual([2, 0, 0])
  })
})
