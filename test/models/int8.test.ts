import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { convert } from '../../src/convert.ts'
import type { InputValue } from '../../src/engine/model.ts'
import { type LoadOptions, load } from '../../src/load.ts'
import type { TensorOf } from '../../src/tensor/index.ts'
import { tensorOf } from '../unit/ops/goldens.ts'
import { goldenFiles, readGolden } from './goldens.ts'

// A model in int8 against what TensorFlow answered in floats: every row of every float matrix points the same way.

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const demo = fileURLToPath(new URL('../../weights/demo/', import.meta.url))

const files = [
  ...goldenFiles(join(fixtures, 'goldens')).map((file) => ({ file, models: join(fixtures, 'models') })),
  ...['query_model', 'candidate_model'].map((name) => ({ file: join(demo, `goldens/${name}.json`), models: demo })),
]

/** The cosines of the rows of all float matrices, and how many layers compute in bytes. */
async function cosines(file: string, models: string): Promise<{ readonly layers: number; readonly rows: number[] }> {
  const golden = readGolden(file)
  const folder = join(models, golden.model)
  const options: LoadOptions = golden.tags === undefined ? {} : { tags: golden.tags }
  if (!existsSync(folder)) throw new Error(`${file} names the model ${golden.model}, which is not there`)
  const bundle = await convert(folder, { ...options, dtype: 'int8' })
  const model = await load({ manifest: bundle.manifest, weights: bundle.weights })
  const rows: number[] = []
  for (const { signature, inputs, outputs } of golden.cases) {
    if (outputs === undefined) continue
    const given = Object.entries(inputs).map(([name, t]) => [name, tensorOf(t) as unknown as InputValue] as const)
    const got = model.evaluate(signature, Object.fromEntries(given))
    for (const [name, recorded] of Object.entries(outputs)) {
      if (recorded.dtype !== 'float32' || recorded.shape.length !== 2 || recorded.shape[1] < 2) continue
      const [want, have] = [tensorOf(recorded) as TensorOf<'float32'>, got[name] as TensorOf<'float32'>]
      expect(have.shape).toEqual(want.shape)
      const width = want.shape[1]
      for (let at = 0; at < want.data.length; at += width)
        rows.push(cosine(want.data.subarray(at, at + width), have.data.subarray(at, at + width)))
    }
  }
  return { layers: bundle.manifest.split('"twotower>DenseInt8"').length - 1, rows }
}

function cosine(a: Float32Array, b: Float32Array): number {
  if (a.every((value, i) => Object.is(value, b[i]))) return 1
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

describe('a model in int8', () => {
  for (const { file, models } of files) {
    const { model } = readGolden(file)
    // Signatures of no floats are what they are in floats.
    test(`${model} is within a cosine of 0.999 of TensorFlow`, async () => {
      const { layers, rows } = await cosines(file, models)
      if (layers > 0) for (const row of rows) expect(row).toBeGreaterThanOrEqual(0.999)
    })
  }

  test('has its layers in bytes where it is large enough for them', async () => {
    const { layers, rows } = await cosines(join(demo, 'goldens/query_model.json'), demo)
    expect(layers).toBeGreaterThan(2)
    expect(rows.length).toBeGreaterThan(50)
  })

  test('is smaller, and says what it is', async () => {
    const sources = { query: join(demo, 'query_model'), candidate: join(demo, 'candidate_model') }
    const [floats, bytes] = [await convert(sources), await convert(sources, { dtype: 'int8' })]
    expect(bytes.byteLength).toBeLessThan(floats.byteLength)
    expect((await load({ manifest: bytes.manifest, weights: bytes.weights })).dtype).toBe('int8')
    expect((await load({ manifest: floats.manifest, weights: floats.weights })).dtype).toBe('float32')
  })

  test('is refused another dtype', async () => {
    const dtype = 'int4' as 'int8'
    await expect(convert(join(demo, 'query_model'), { dtype })).rejects.toThrow(
      new RangeError('dtype must be float32 or int8, got "int4"'),
    )
  })
})
