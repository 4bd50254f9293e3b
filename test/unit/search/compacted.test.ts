import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import type { ByteSource } from '../../../src/platform/folder.ts'
import { ItemIndex } from '../../../src/search/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'index-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What happens before so many more times that something is asked of a log: to open it, or for a part of it. */
let meanwhile: { left: number; readonly work: () => Promise<void> } | null = null
async function asked(): Promise<void> {
  if (meanwhile === null || meanwhile.left-- > 0) return
  const { work } = meanwhile
  meanwhile = null
  await work()
}
vi.mock('../../../src/search/store/source.ts', async (original) => {
  const real = await original<typeof import('../../../src/search/store/source.ts')>()
  const sourceAt = async (place: string): Promise<ByteSource | null> => {
    if (!place.endsWith('.log')) return real.sourceAt(place)
    await asked()
    const source = await real.sourceAt(place)
    return source && { ...source, slice: (start, end) => asked().then(() => source.slice(start, end)) }
  }
  return { ...real, sourceAt }
})

test.each([
  ['opened', 0],
  ['begun', 1],
  ['read in part', 3],
] as const)('an index that is compacted before its log is %s misses nothing of it', async (_, left) => {
  const file = join(folder, `${left}.index`)
  // More of a log than is read at once.
  const wide = (id: string) => ({ id, embedding: new Float32Array(200_000).fill(id.length) })
  await (await ItemIndex.of([wide('a')], { similarity: 'dot' })).save(file)
  const writer = await ItemIndex.open(file)
  await writer.upsert([wide('bb')])
  await writer.upsert([wide('ccc')])
  meanwhile = { left, work: () => writer.compact() }
  const opened = await ItemIndex.open(file)
  await writer.close()
  expect(meanwhile).toBeNull()
  expect([...opened.datapoints()].map(({ id, embedding }) => `${id} ${embedding[0]}`)).toEqual(['a 1', 'bb 2', 'ccc 3'])
})
