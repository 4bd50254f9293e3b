import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptModelError, InvalidArgumentError, UnsupportedOpError } from '../../src/errors.ts'
import { load } from '../../src/load.ts'
import { memoryFolder } from '../../src/platform/folder.ts'

const models = fileURLToPath(new URL('../fixtures/models/', import.meta.url))

function filesOf(folder: string, under = ''): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {}
  for (const name of readdirSync(join(folder, under))) {
    const path = under === '' ? name : `${under}/${name}`
    if (statSync(join(folder, path)).isDirectory()) Object.assign(files, filesOf(folder, path))
    else files[path] = new Uint8Array(readFileSync(join(folder, path)))
  }
  return files
}

/** What a damaged file may be answered with: one of these, and never a sentence of the JavaScript engine's. */
function expectClear(error: unknown): void {
  const known =
    error instanceof CorruptModelError ||
    error instanceof InvalidArgumentError ||
    error instanceof UnsupportedOpError ||
    error instanceof RangeError ||
    error instanceof TypeError
  const { message } = error as Error
  if (
    known &&
    !/undefined|null \(|not a function|not iterable|Cannot (read|convert|mix)|Invalid (array|typed array|string) length|Maximum call stack|Array buffer allocation/.test(
      message,
    )
  )
    return
  throw new Error(`not a clear error: ${(error as Error).stack}`)
}

/** Loads the files; nothing else may happen than a model or a clear error, soon. */
async function loadDamaged(files: Record<string, Uint8Array>): Promise<void> {
  const start = performance.now()
  try {
    await load(memoryFolder('damaged', files))
  } catch (error) {
    expectClear(error)
  }
  expect(performance.now() - start).toBeLessThan(20_000)
}

const FIXTURES = [
  'snappy_index',
  'tf2_init_op',
  'ref_variables',
  'if_while',
  'mutable_table',
  'control_flow_v1',
  'no_usable_signature',
  'legacy_init_op',
]

describe.each(FIXTURES)('a damaged %s', (name) => {
  const files = filesOf(join(models, name))
  const paths = Object.keys(files).filter((path) => files[path].length > 0)

  test('with bytes changed gives a model or a clear error', async () => {
    const damage = fc.array(
      fc.record({ at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), byte: fc.nat({ max: 255 }) }),
      { minLength: 1, maxLength: 4 },
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), damage, async (path, changes) => {
        const bytes = files[path].slice()
        for (const { at, byte } of changes) bytes[Math.floor(at * bytes.length)] = byte
        await loadDamaged({ ...files, [path]: bytes })
      }),
      { numRuns: 120, seed: 20260 },
    )
  })

  test('cut short anywhere gives a model or a clear error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (path, at) => {
          await loadDamaged({ ...files, [path]: files[path].subarray(0, Math.floor(at * files[path].length)) })
        },
      ),
      { numRuns: 60, seed: 20260 },
    )
  })

  test('with a file missing gives a model or a clear error that names it', async () => {
    for (const path of paths) {
      const { [path]: _, ...rest } = files
      await loadDamaged(rest)
    }
    const { 'saved_model.pb': _, ...rest } = files
    await expect(load(memoryFolder('empty', rest))).rejects.toThrow(/saved_model\.pb/)
  })

  test('that went through a UTF-8 text editor says so', async () => {
    const mangled = new TextEncoder().encode(new TextDecoder().decode(files['saved_model.pb']))
    await loadDamaged({ ...files, 'saved_model.pb': mangled })
  })
})

test('a vocabulary that the graph reads is missed by name', async () => {
  const { 'assets/vocabulary.txt': _, ...rest } = filesOf(join(models, 'legacy_init_op'))
  await expect(load(memoryFolder('export', rest))).rejects.toThrow(
    new CorruptModelError('assets/vocabulary.txt', 'missing in export; the graph reads this file when it starts'),
  )
})
