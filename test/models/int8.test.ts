import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Bundle, convert } from '../../src/convert.ts'
import type { InputValue } from '../../src/engine/model.ts'
import type { Graph } from '../../src/graph/index.ts'
import { type LoadOptions, load } from '../../src/load.ts'
import { denseToInt8 } from '../../src/lower/int8.ts'
import type { TensorOf } from '../../src/tensor/index.ts'
import { tensorOf } from '../unit/ops/goldens.ts'
import { goldenFiles, readGolden } from './goldens.ts'

// A model in int8 against what TensorFlow answered in floats: every row of every float matrix points the same way. The layers
// of the fixtures are too small to be worth bytes, so of theirs the test takes those that are large enough for what the
// roundings of a few numbers do to even out.

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const demo = fileURLToPath(new URL('../../weights/demo/', import.meta.url))

const LEAST = { k: 12, n: 2 }

/** The signatures of a model with all layers from `LEAST` on in bytes. */
async function small(folder: string, options: LoadOptions): Promise<Bundle> {
  const { definition } = await convert(folder, options)
  const made = new Map<Graph, Graph>()
  const inBytes = (graph: Graph): Graph => {
    const known = made.get(graph) ?? denseToInt8(graph, LEAST)
    made.set(graph, known)
    return known
  }
  const signatures = definition.signatures.map((signature) => ({ ...signature, graph: inBytes(signature.graph) }))
  const towers = { query: null, candidate: null, similarity: null, joint: null, notes: [] }
  return Bundle.of({ ...definition, signatures, towers })
}

/** As `convert --dtype int8` has it. */
const large = (folder: string, options: LoadOptions): Promise<Bundle> => convert(folder, { ...options, dtype: 'int8' })

const files = [
  ...goldenFiles(join(fixtures, 'goldens')).map((file) => ({ file, models: join(fixtures, 'models'), make: small })),
  ...['query_model', 'candidate_model'].map((name) => ({
    file: join(demo, `goldens/${name}.json`),
    models: demo,
    make: large,
  })),
]

/** The cosines of the rows of all float matrices, and how many layers compute in bytes. */
async function cosines({ file, models, make }: (typeof files)[number]) {
  const golden = readGolden(file)
  const folder = join(models, golden.model)
  const options: LoadOptions = golden.tags === undefined ? {} : { tags: golden.tags }
  if (!existsSync(folder)) throw new Error(`${file} names the model ${golden.model}, which is not there`)
  const bundle = await make(folder, options)
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
      for (let at = 0; at < want.data.length; at += width) {
        const row = want.data.subarray(at, at + width)
        // What is not finite points nowhere.
        if (row.every(Number.isFinite)) rows.push(cosine(row, have.data.subarray(at, at + width)))
      }
    }
  }
  return { layers: bundle.manifest.split('"twotower>DenseInt8"').length - 1, rows }
}

function cosine(a: Float32Array, b: Float32Array): number {
  // Rows of zeros, too.
  if (a.every((value, i) => value === b[i])) return 1
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

describe('a model in int8', () => {
  let compared = 0
  for (const each of files) {
    const { model } = readGolden(each.file)
    // Signatures of no floats are what they are in floats.
    test(`${model} is within a cosine of 0.999 of TensorFlow`, async () => {
      const { layers, rows } = await cosines(each)
      if (layers === 0) return
      for (const row of rows) expect(row).toBeGreaterThanOrEqual(0.999)
      if (rows.length > 0) compared++
    })
  }

  test('has its layers in bytes where it is large enough for them', async () => {
    const { layers, rows } = await cosines({ file: join(demo, 'goldens/query_model.json'), models: demo, make: large })
    expect(layers).toBeGreaterThan(2)
    expect(rows.length).toBeGreaterThan(50)
    // Else the cosines above would be of models without such layers.
    expect(compared).toBeGreaterThanOrEqual(12)
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
