import { describe, expect, test } from 'vitest'
import { leastSquares } from '../../../src/match/fit.ts'
import { trySimilarities } from '../../../src/match/similarity.ts'

describe('least squares', () => {
  const x = [0, 0.5, 1, 1.5, 2, 3]

  test('finds the parameters of a curve', () => {
    const y = x.map((value) => 2.5 * Math.exp(-0.75 * value))
    const { parameters, cost } = leastSquares(
      ([a, b]) => x.map((value, i) => a * Math.exp(b * value) - y[i]),
      [1, 0],
      50,
    )
    expect(parameters[0]).toBeCloseTo(2.5, 6)
    expect(parameters[1]).toBeCloseTo(-0.75, 6)
    expect(cost).toBeLessThan(1e-12)
  })

  test('stays where it starts where nothing may be', () => {
    expect(leastSquares(() => null, [1, 2], 50)).toEqual({ parameters: [1, 2], cost: Number.POSITIVE_INFINITY })
  })

  test('goes no way where parameters may not be', () => {
    const { parameters } = leastSquares(([a]) => (a < 1 ? null : [a - 0.5]), [1.5], 50)
    expect(parameters[0]).toBeGreaterThanOrEqual(1)
  })
})

describe('similarities', () => {
  const query = Float32Array.of(1, 2, 0, 1, -1, 3, 2, 2, 4, -1)
  const candidate = Float32Array.of(3, 1, 2, 2, 1, 1, -2, 0, 1, 1)
  const dots = [5, 2, 2, -4, 3]
  const expected = (scores: readonly number[]) =>
    scores.map((score) => ({ output: 'score', values: [score], scale: 1 }))

  test('are fitted by a line where no bare one does, with as few digits as do', () => {
    const [best] = trySimilarities(query, candidate, 2, expected(dots.map((dot) => 0.05 * dot + 1.5)), null, 1e-6)
    expect(best.similarity).toEqual({ metric: 'dot', scale: 0.05, bias: 1.5, sigmoid: false })
    expect(best.fitted).toBe(2)
  })

  test('are what the model says before anything else', () => {
    const known = { metric: 'dot', scale: 2, bias: 0, sigmoid: false } as const
    const [best] = trySimilarities(query, candidate, 2, expected(dots.map((dot) => 2 * dot)), known, 1e-6)
    expect(best).toMatchObject({ similarity: known, fitted: 0 })
  })

  test('are not fitted to scores that are fewer than a line needs', () => {
    const three = expected([1, 7, 3])
    const tries = trySimilarities(query.subarray(0, 6), candidate.subarray(0, 6), 2, three, null, 1e-6)
    expect(tries.every(({ fitted }) => fitted === 0)).toBe(true)
  })
})
