import { expect, test } from 'vitest'
import { compileKernels } from '../../../src/engine/variants.ts'
import { settleCentroids } from '../../../src/search/approximate/centroids.ts'

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
