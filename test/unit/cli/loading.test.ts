import { readFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { definitionAt } from '../../../src/cli/loading.ts'
import { convert } from '../../../src/convert.ts'
import { diff } from '../../../src/diff/diff.ts'
import { memoryFolder } from '../../../src/platform/folder.ts'
import { httpFolder } from '../../../src/platform/http.ts'

afterEach(() => vi.unstubAllGlobals())

const SAVED = new URL('../../fixtures/models/fused_dot/', import.meta.url)

test('a bundle at an address, where nothing can be listed, is told from a SavedModel', async () => {
  const bundle = await convert(SAVED)
  const files: Readonly<Record<string, string | Uint8Array>> = {
    '/movies/manifest.json': bundle.manifest,
    '/movies/weights.bin': bundle.weights,
  }
  const served = async (url: URL) => {
    const body = files[url.pathname]
    return new Response(body === undefined ? null : new Uint8Array(Buffer.from(body)), { status: body ? 200 : 404 })
  }
  vi.stubGlobal('fetch', served)
  const { signatures, towers } = await definitionAt('http://host/movies', { similarity: 'cosine' })
  expect(signatures.map(({ name }) => name)).toEqual(['serving_default'])
  expect(towers.similarity?.metric).toBe('cosine')
  const saved = memoryFolder('export', {
    'saved_model.pb': readFileSync(new URL('saved_model.pb', SAVED)),
    'variables/variables.index': readFileSync(new URL('variables/variables.index', SAVED)),
    'variables/variables.data-00000-of-00001': readFileSync(new URL('variables/variables.data-00000-of-00001', SAVED)),
  })
  const { weights, vocabularies } = await diff(httpFolder(new URL('http://host/movies'), served), saved)
  expect([weights, vocabularies]).toEqual([[], []])
})
