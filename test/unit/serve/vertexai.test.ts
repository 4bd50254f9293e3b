import { describe, expect, test } from 'vitest'
import { expectClose, golden, type Recorded } from './goldens.ts'
import { post, serving } from './served.ts'

/** A case's rows, each an object of features. */
const rowsOf = ({ inputs }: Recorded): Record<string, unknown>[] =>
  Array.from({ length: Object.values(inputs)[0].shape[0] }, (_, i) =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, data }]) => {
        const width = shape[1] ?? 1
        return [name, shape.length > 1 ? data.slice(i * width, (i + 1) * width) : data[i]]
      }),
    ),
  )

describe('Vertex AI’s prediction request', () => {
  const [item] = golden('vertex_pair.query_model').filter(({ inputs }) => inputs.age.shape[0] > 1)
  const wanted = item.outputs.embedding.data

  test('instances are answered with predictions, one each', async () => {
    const app = await serving({ m: 'vertex_pair/query_model' })
    const { status, body } = await post(app, '/predict', { instances: rowsOf(item), parameters: {} })
    expect(status).toBe(200)
    expect(Object.keys(body)).toEqual(['predictions'])
    expectClose((body.predictions as number[][]).flat(), wanted)
  })

  test('an instance of the two-tower models gets its key and encoding back', async () => {
    const app = await serving({ m: 'vertex_pair/query_model' })
    const instances = rowsOf(item).map((row, i) => ({
      data: JSON.stringify(
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Array.isArray(value) ? value : [value]])),
      ),
      key: `key ${i}`,
    }))
    const { body } = await post(app, '/predict', { instances })
    const predictions = body.predictions as { readonly key: string; readonly encoding: number[] }[]
    expect(predictions.map(({ key }) => key)).toEqual(instances.map(({ key }) => key))
    expectClose(
      predictions.flatMap(({ encoding }) => encoding),
      wanted,
    )
    // Without a key there is none to give back.
    const keyless = await post(app, '/predict', { instances: [{ data: instances[0].data }] })
    expect(Object.keys((keyless.body.predictions as object[])[0])).toEqual(['encoding'])
  })

  test('a model that takes the key itself gives it back itself', async () => {
    const [own] = golden('vertex_instance.query_model').filter(({ inputs }) => inputs.age.shape[0] > 1)
    const app = await serving({ m: 'vertex_instance/query_model' })
    const { body } = await post(app, '/predict', { instances: rowsOf(own) })
    const predictions = body.predictions as { readonly key: string; readonly embedding: number[] }[]
    expect(predictions.map(({ key }) => key)).toEqual(own.outputs.key.data)
    expectClose(
      predictions.flatMap(({ embedding }) => embedding),
      own.outputs.embedding.data,
    )
  })

  test('parameters may name the signature', async () => {
    const app = await serving({ m: 'tower_signatures' })
    const instances = ['1']
    expect((await post(app, '/predict', { instances, parameters: { signature_name: 'query' } })).status).toBe(200)
    expect((await post(app, '/predict', { instances })).body.error).toContain('name a signature')
  })

  test('parameters are an object, or null as Vertex AI writes none', async () => {
    const app = await serving({ m: 'vertex_pair/query_model' })
    const asked = (parameters: unknown) => post(app, '/predict', { instances: rowsOf(item), parameters })
    expect((await asked(null)).status).toBe(200)
    for (const wrong of [[], 'query', 5]) {
      const { status, text } = await asked(wrong)
      expect([status, text]).toEqual([400, expect.stringContaining('must be a JSON object')])
    }
  })

  test.each([
    '{}',
    '[]',
    '1',
    '{"instances": {}}',
    '{"instances": []}',
    '{"instances": [null]}',
    '{"instances": [{"data": "{"}]}',
    '',
  ])('%j is refused', async (body) => {
    const app = await serving({ m: 'vertex_pair/query_model' })
    expect(await post(app, '/predict', body)).toMatchObject({ status: 400, body: { error: expect.any(String) } })
  })
})
