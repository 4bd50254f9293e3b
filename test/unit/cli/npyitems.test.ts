import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { npyItems } from '../../../src/cli/npyitems.ts'
import { npyHeader } from '../../../src/embed/output/npy.ts'

const folder = mkdtempSync(join(tmpdir(), 'npyitems-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  [1000, 4],
  [1, 2 ** 40],
  [2 ** 30, 2 ** 20],
])(
  'a matrix that says it has %i rows of %i numbers, and has none, is refused before room is made for them',
  async (rows, width) => {
    const file = join(folder, `${rows}.npy`)
    writeFileSync(file, Buffer.concat([npyHeader(rows, width), new Uint8Array(16)]))
    await expect(npyItems(file, undefined).next()).rejects.toThrow(
      `${file}: it ends before its ${rows} rows of ${width} numbers do`,
    )
  },
)
