import { expect, test } from 'vitest'
import { agreement } from '../../../src/bench/agreement.ts'

test('answers agree within rounding of their largest number, and how far they are apart is told', () => {
  expect(agreement([[1, 2]], [[1, 2.00001]])).toEqual({ difference: expect.closeTo(1e-5, 8), agrees: true })
  expect(agreement([[1, 2]], [[1, 2.001]])).toEqual({ difference: expect.closeTo(1e-3, 8), agrees: false })
  expect(agreement([[0, 50_000]], [[0.5, 50_000]])).toEqual({ difference: 0.5, agrees: true })
  // Each output by its own numbers.
  expect(agreement([[0], [50_000]], [[0.5], [50_000]]).agrees).toBe(false)
})

test('answers that are no numbers agree where they are the same, and only there', () => {
  expect(agreement([['a', 'b']], [['a', 'b']])).toEqual({ difference: 0, agrees: true })
  expect(agreement([['a']], [['b']])).toEqual({ difference: Number.POSITIVE_INFINITY, agrees: false })
  expect(agreement([[1n]], [[1n]]).agrees).toBe(true)
  expect(agreement([[Number.NaN, Number.POSITIVE_INFINITY]], [[Number.NaN, Number.POSITIVE_INFINITY]])).toEqual({
    difference: 0,
    agrees: true,
  })
  expect(agreement([[Number.NaN]], [[1]]).agrees).toBe(false)
})

test('answers of another size do not agree', () => {
  expect(agreement([[1, 2]], [[1]]).agrees).toBe(false)
  expect(agreement([[1]], []).agrees).toBe(false)
})
