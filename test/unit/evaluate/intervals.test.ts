import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Bootstrap } from '../../../src/evaluate/bootstrap.ts'
import { exposureOf, Popularity } from '../../../src/evaluate/popularity.ts'
import { wilson } from '../../../src/evaluate/wilson.ts'

interface Recorded {
  readonly values: readonly number[]
  readonly others: readonly number[]
  readonly interval: readonly [number, number]
  readonly more: readonly [number, number]
  readonly places: readonly number[]
  readonly gini: number
  readonly wilson: readonly { readonly hits: number; readonly of: number; readonly interval: readonly number[] }[]
}

const golden = new URL('../../fixtures/evaluate/intervals.json', import.meta.url)
const recorded = JSON.parse(readFileSync(golden, 'utf8')) as Recorded
const { values, others } = recorded

function drawn(seed: number): Bootstrap {
  const bootstrap = new Bootstrap(2, seed)
  for (const [i, value] of values.entries()) bootstrap.add([value, others[i]])
  return bootstrap
}

const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length

describe('the bootstrap', () => {
  test("has the intervals of scipy's, within the chance of a thousand draws", () => {
    for (const seed of [1, 2, 3]) {
      const found = drawn(seed).estimate(0)
      const width = recorded.interval[1] - recorded.interval[0]
      expect(found.mean).toBeCloseTo(mean(values), 12)
      expect(Math.abs(found.low - recorded.interval[0])).toBeLessThan(0.1 * width)
      expect(Math.abs(found.high - recorded.interval[1])).toBeLessThan(0.1 * width)
    }
  })

  test('judges a difference query by query', () => {
    const found = drawn(1).estimate(1, 0)
    const width = recorded.more[1] - recorded.more[0]
    expect(found.mean).toBeCloseTo(mean(others) - mean(values), 12)
    expect(Math.abs(found.low - recorded.more[0])).toBeLessThan(0.1 * width)
    expect(Math.abs(found.high - recorded.more[1])).toBeLessThan(0.1 * width)
    const same = new Bootstrap(2, 1)
    for (const value of values) same.add([value, value])
    expect(same.estimate(1, 0)).toEqual({ mean: 0, low: 0, high: 0 })
  })

  test('is the same for the same seed and not for another', () => {
    expect(drawn(5).estimate(0)).toEqual(drawn(5).estimate(0))
    expect(drawn(5).estimate(0)).not.toEqual(drawn(6).estimate(0))
  })

  test('of one query has no width', () => {
    const one = new Bootstrap(1, 1)
    one.add([0.25])
    expect(one.estimate(0)).toEqual({ mean: 0.25, low: 0.25, high: 0.25 })
  })
})

describe("Wilson's interval", () => {
  test('is that of statsmodels, at the ends too', () => {
    for (const { hits, of, interval } of recorded.wilson) {
      const { low, high } = wilson(hits / of, of)
      expect(low).toBeCloseTo(interval[0], 12)
      expect(high).toBeCloseTo(interval[1], 12)
    }
  })
})

describe('exposure', () => {
  const flat = new Popularity(Float64Array.of(1, 1, 1, 1))

  test('has the Gini index that the mean difference of all pairs gives', () => {
    const places = Float64Array.from(recorded.places)
    const { gini, coverage } = exposureOf(places, new Popularity(new Float64Array(places.length)))
    expect(gini).toBeCloseTo(recorded.gini, 12)
    expect(coverage).toBeCloseTo(recorded.places.filter((place) => place > 0).length / places.length, 12)
  })

  test('is equal where all have as many places, and wholly unequal where one has all', () => {
    expect(exposureOf(Float64Array.of(2, 2, 2, 2), flat).gini).toBe(0)
    expect(exposureOf(Float64Array.of(0, 0, 9, 0), flat).gini).toBe(1)
    expect(exposureOf(new Float64Array(4), flat)).toEqual({ coverage: 0, gini: 0, popularity: 0, longTail: 0 })
    expect(exposureOf(Float64Array.of(3), new Popularity(Float64Array.of(1))).gini).toBe(0)
  })

  test('counts as the long tail what is not among the fewest items with four fifths of all interactions', () => {
    const popularity = new Popularity(Float64Array.of(10, 50, 30, 10, 0))
    expect([...popularity.tail]).toEqual([1, 0, 0, 1, 1])
    expect(popularity.order).toEqual([1, 2, 0, 3, 4])
    const { popularity: mean, longTail } = exposureOf(Float64Array.of(1, 2, 0, 0, 1), popularity)
    expect(mean).toBe((10 + 2 * 50 + 0) / 4)
    expect(longTail).toBe(0.5)
  })
})
