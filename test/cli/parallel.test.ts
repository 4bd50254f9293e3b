import { afterAll, expect, test } from 'vitest'
import { random } from '../unit/seeded.ts'

// The built package: its threads run a file that lies beside it.
const built = new URL('../../dist/search/index.js', import.meta.url).href
const { Attributes, compileKernels, ExactIndex, ParallelIndex } = (await import(
  built
)) as typeof import('../../src/search/index.ts')

const [count, width] = [20_000, 24]
const next = random(11)
const ids = Array.from({ length: count }, (_, i) => `${i}`)
const attributes = Attributes.of(ids.map((id, i) => ({ id, crowdingTag: `crowd ${i % 77}` })))
const vectors = Float32Array.from({ length: count * width }, next)
const kernels = await compileKernels()
const ended: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const end of ended) await end()
})

test('a search by threads of the runtime answers as one thread does', async () => {
  const index = new ExactIndex(ids, vectors, { metric: 'cosine', scale: 1, bias: 0, sigmoid: false }, { attributes })
  const parallel = await ParallelIndex.of(index, { threads: 2, kernels })
  ended.push(() => parallel.end())
  const queries = Array.from({ length: 10 }, () => Float32Array.from({ length: width }, next))
  const options = { k: 50, perCrowdingTag: 2, filter: { exclude: ids.slice(0, 10_000) } }
  expect(await parallel.searchMany(queries, options)).toEqual(index.searchMany(queries, options))
  await expect(parallel.search(queries[0].subarray(1), 3)).rejects.toThrow('the query has 23 dimensions')
  await parallel.end()
  await expect(parallel.search(queries[0], 3)).rejects.toThrow('the threads of this search have been ended')
})
