// Every truncation and every flipped bit of a small model: CorruptModelError, or the data that was written.

import { expect, test } from 'vitest'
import { CorruptModelError } from '../../../src/errors.ts'
import { memoryFolder } from '../../../src/platform/folder.ts'
import { Checkpoint, readSavedModel } from '../../../src/savedmodel/index.ts'
import type { Tensor } from '../../../src/tensor/index.ts'
import { bytesOf, checkpoint, DT, join, type Span, savedModelBytes, stored, storedStrings } from './write.ts'

const INDEX = 'variables/variables.index'
const DATA = 'variables/variables.data-00000-of-00001'
const row = (i: number) => ({
  spans: [[i, 1], null] as Span[],
  part: stored(DT.int16, [1, 2], Int16Array.of(i, i + 10)),
})
const tensors = {
  kernel: stored(DT.float32, [3], Float32Array.of(1, 2, 3)),
  rows: { dtype: DT.int16, shape: [2, 2], slices: [row(0), row(1)] },
  words: storedStrings([3], ['one', '', 'three'].map(bytesOf)),
}
const plain = checkpoint(tensors, { blockBytes: 60 })
const snappy = checkpoint(tensors, { blockBytes: 60, snappy: true })

/** The tensors by name; one that fails is its error. */
async function readEach(files: Record<string, Uint8Array>): Promise<Map<string, Tensor | unknown>> {
  const model = await Checkpoint.open(memoryFolder('model', files))
  const found = new Map<string, Tensor | unknown>()
  for (const key of model.entries.keys()) found.set(key, await model.read(key).catch((error: unknown) => error))
  return found
}

async function expectSound(files: Record<string, Uint8Array>, written: Map<string, Tensor | unknown>): Promise<void> {
  const found = await readEach(files).catch((error: unknown) => error)
  if (!(found instanceof Map)) return expect(found).toBeInstanceOf(CorruptModelError)
  expect([...found.keys()]).toEqual([...written.keys()])
  for (const [key, tensor] of found)
    if (!(tensor instanceof CorruptModelError)) expect(tensor).toEqual(written.get(key))
}

function* truncations(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length++) yield bytes.slice(0, length)
}

function* flips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3] ^= 1 << (bit & 7)
    yield flipped
  }
}

test.each([
  ['the index', plain, INDEX],
  ['the Snappy index', snappy, INDEX],
  ['the data', plain, DATA],
])('%s, cut or with a bit flipped, never gives other data or another error', async (_, files, path) => {
  const written = await readEach(files)
  expect([...written.values()].some((tensor) => tensor instanceof Error)).toBe(false)
  for (const bytes of truncations(files[path])) await expectSound({ ...files, [path]: bytes }, written)
  for (const bytes of flips(files[path])) await expectSound({ ...files, [path]: bytes }, written)
})

test('an index whose checksums are right and whose contents are not gives CorruptModelError or a dtype’s TypeError', async () => {
  let length = 0
  const measure = (contents: Uint8Array): Uint8Array => {
    length ||= contents.length
    return contents
  }
  checkpoint(tensors, { alter: measure })
  for (let bit = 0; bit < 8 * length; bit++) {
    const alter = (contents: Uint8Array, kind: 'data' | 'index'): Uint8Array => {
      const altered = Uint8Array.from(contents)
      if (kind === 'data') altered[bit >> 3] ^= 1 << (bit & 7)
      return altered
    }
    const found = await readEach(checkpoint(tensors, { alter })).catch((error: unknown) => error)
    for (const result of found instanceof Map ? found.values() : [found]) {
      const refused =
        result instanceof CorruptModelError || (result instanceof TypeError && /DataType/.test(result.message))
      if (result instanceof Error && !refused) throw result
    }
  }
})

test('a graph definition that is cut or has a bit flipped gives CorruptModelError or another graph', async () => {
  const bytes = savedModelBytes()
  let refused = 0
  for (const broken of [...truncations(bytes), ...flips(bytes), join(bytes, bytes.subarray(1))]) {
    const result = await readSavedModel(memoryFolder('model', { 'saved_model.pb': broken })).catch(
      (error: unknown) => error,
    )
    if (!(result instanceof Error)) continue
    expect(result).toBeInstanceOf(CorruptModelError)
    refused++
  }
  expect(refused).toBeGreaterThan(bytes.length)
})
