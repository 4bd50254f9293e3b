import { expect, test } from 'vitest'
import { compileKernels } from '../../../src/engine/variants.ts'
import { ByteCentroids } from '../../../src/search/approximate/bytecentroids.ts'
import { settleCentroids } from '../../../src/search/approximate/centroids.ts'
import { Workspace } from '../../../src/search/approximate/workspace.ts'

const kernels = await compileKernels()

test('centroids settle in the middle of the rows that are nearest to them, in however many pieces those come', () => {
  const rows = [Float32Array.of(0, 0, 0, 2, 10, 10), Float32Array.of(12, 10, 1, 1, 11, 13)]
  const centroids = Float32Array.of(1, 0, 9, 9, -50, 50)
  settleCentroids(kernels, centroids, 2, 1, () => rows)
  // (0, 0), (0, 2) and (1, 1); (10, 10), (12, 10) and (11, 13); nobody.
  expect(centroids).toEqual(Float32Array.of(1 / 3, 1, 11, 11, -50, 50))
})

test('a round later rows may be nearer to another centroid', () => {
  const line = [Float32Array.of(0, 1, 2, 6, 7)]
  const centroids = Float32Array.of(0, 2.5)
  settleCentroids(kernels, centroids, 1, 1, () => line)
  expect(centroids).toEqual(Float32Array.of(0.5, 5))
  settleCentroids(kernels, centroids, 1, 1, () => line)
  expect(centroids).toEqual(Float32Array.of(1, 6.5))
})

test('products with centroids as bytes are off by what rounding to bytes takes, whatever all of them share', () => {
  for (const width of [1, 3, 16, 17, 100, 700])
    for (const count of [1, 4, 7, 33]) {
      const number = (i: number) => Math.sin(i * 12.9898) + 0.3 * Math.cos(i * 78.233)
      const centroids = Float32Array.from({ length: count * width }, (_, i) => 50 + number(i))
      const added = Float32Array.from({ length: count }, (_, i) => number(i + 5))
      const query = Float32Array.from({ length: width }, (_, i) => number(3 * i + 1))
      const workspace = new Workspace(kernels)
      const bytes = new ByteCentroids(workspace, centroids, width, added)
      const out = workspace.room(4 * 36)
      const base = bytes.score(out, query)
      // Half a step of a byte, of numbers at most 2.6 from their mean, and of float32.
      const step = 2.6 / 127 / 2
      const most = query.reduce((sum, value) => sum + Math.abs(value), 0) * (step + 52 * 2 ** -20)
      for (let leaf = 0; leaf < count; leaf++) {
        let product = 0
        for (let i = 0; i < width; i++) product += centroids[leaf * width + i] * query[i]
        const off = Math.abs(base + workspace.floats(out, count)[leaf] - added[leaf] - product)
        expect(off, `centroid ${leaf} of ${count}, ${width} wide`).toBeLessThan(most)
      }
      expect(bytes.score(out, new Float32Array(width))).toBe(0)
      expect([...workspace.floats(out, count)]).toEqual([...added])
    }
})
