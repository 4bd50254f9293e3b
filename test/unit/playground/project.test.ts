import { describe, expect, test } from 'vitest'
import { planeOf } from '../../../src/playground/worker/project.ts'

/** Rows of a fixed unlikely sequence, so that no two directions are alike. */
function rowsOf(rows: number, row: (i: number, random: () => number) => readonly number[]): Float32Array {
  let state = 7
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647 - 0.5
  }
  return Float32Array.from(Array.from({ length: rows }, (_, i) => row(i, random)).flat())
}

const distance = ([a, b]: readonly number[], [x, y]: readonly number[]): number => Math.hypot(a - x, b - y)

describe('the plane of principal components', () => {
  test('keeps all distances of vectors that lie in a plane', () => {
    const [u, v] = [
      [0.6, 0, 0.8, 0, 0],
      [0, 1, 0, 0, 0],
    ]
    const vectors = rowsOf(200, (_, random) => {
      const [a, b] = [4 * random(), random()]
      return u.map((value, i) => 3 + a * value + b * v[i])
    })
    const plane = planeOf(vectors, 200)
    expect(plane.shown).toBeCloseTo(1, 6)
    const row = (i: number) => vectors.subarray(5 * i, 5 * i + 5)
    for (let i = 1; i < 200; i++)
      expect(distance(plane.place(row(0)), plane.place(row(i)))).toBeCloseTo(
        Math.hypot(...row(0).map((value, j) => value - row(i)[j])),
        4,
      )
  })

  test('lies along the axes of the largest variances, the largest first', () => {
    const spread = [0.1, 5, 0.2, 2, 0.3]
    const vectors = rowsOf(3000, (_, random) => spread.map((width) => width * random()))
    const plane = planeOf(vectors, 3000)
    const [x, y] = [1, 3].map((axis) => {
      const [origin, unit] = [new Float32Array(5), new Float32Array(5)]
      unit[axis] = 1
      const [a, b] = [plane.place(origin), plane.place(unit)]
      return [b[0] - a[0], b[1] - a[1]].map(Math.abs)
    })
    expect(x[0]).toBeGreaterThan(0.99)
    expect(y[1]).toBeGreaterThan(0.99)
    const total = spread.reduce((sum, width) => sum + width ** 2, 0)
    expect(plane.shown).toBeCloseTo((5 ** 2 + 2 ** 2) / total, 1)
  })

  test('places equal vectors on one point, one vector and none as well', () => {
    const plane = planeOf(new Float32Array(40).fill(2), 10)
    expect(plane.shown).toBe(0)
    expect(plane.place([2, 2, 2, 2])).toEqual([0, 0])
    expect(planeOf(Float32Array.of(1, 2), 1).place([1, 2])).toEqual([0, 0])
    expect(planeOf(new Float32Array(0), 0).shown).toBe(0)
  })
})
