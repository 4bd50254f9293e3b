import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { ItemIndex } from '../../../src/search/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'index-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What happens before the next log is read. */
let meanwhile: (() => Promise<void>) | null = null
vi.mock('../../../src/platform/nodeappend.ts', async (original) => {
  const real = await original<typeof import('../../../src/platform/nodeappend.ts')>()
  const bytesAt = async (path: string) => {
    const work = meanwhile
    meanwhile = null
    await work?.()
    return real.bytesAt(path)
  }
  return { ...real, bytesAt }
})

test('an index that is compacted while it is opened misses nothing of its log', async () => {
  const file = join(folder, 'films.index')
  await (await ItemIndex.of([{ id: 'a', embedding: Float32Array.of(1, 2) }], { similarity: 'dot' })).save(file)
  const writer = await ItemIndex.open(file)
  await writer.upsert([{ id: 'b', embedding: Float32Array.of(3, 4) }])
  meanwhile = () => writer.compact()
  const opened = await ItemIndex.open(file)
  await writer.close()
  expect(meanwhile).toBeNull()
  expect([...opened.datapoints()].map(({ id }) => id)).toEqual(['a', 'b'])
})
