import type { Hono } from 'hono'
import { beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../../src/serve/app.ts'
import { Models, ServedModel, Version } from '../../../src/serve/models.ts'
import { NO_OBSERVER } from '../../../src/serve/observer.ts'
import { expectClose, golden, type Recorded } from './goldens.ts'
import { answered, get, loaded, post, serving } from './served.ts'

let app: Hono
beforeAll(async () => {
  app = await serving({ towers: 'tower_signatures', examples: 'examples', 'a model/1': 'tower_signatures' })
})

describe('predict', () => {
  const query = golden('tower_signatures').find(
    ({ signature, inputs }) => signature === 'query' && inputs.user_id.data.length > 1,
  ) as Recorded
  const ids = query.inputs.user_id.data
  const embedding = query.outputs.embedding.data

  test('answers rows with predictions and columns with outputs', async () => {
    const rows = await post(app, '/v1/models/towers:predict', { signature_name: 'query', instances: ids })
    expect(rows.status).toBe(200)
    expectClose((rows.body.predictions as number[][]).flat(), embedding)
    const named = await post(app, '/v1/models/towers:predict', {
      signature_name: 'query',
      instances: ids.map((user_id) => ({ user_id })),
    })
    expect(named.body).toEqual(rows.body)
    const columns = await post(app, '/v1/models/towers:predict', { signature_name: 'query', inputs: { user_id: ids } })
    expectClose((columns.body.outputs as number[][]).flat(), embedding)
  })

  test('takes a version, a percent-encoded name, any case of the path, and passes over a query', async () => {
    const body = { signature_name: 'query', instances: ids }
    const { text } = await post(app, '/v1/models/towers:predict', body)
    for (const path of [
      '/v1/models/towers/versions/1:predict',
      '/V1/Models/towers/Versions/0001:predict',
      '/v1/models/a%20model%2F1:predict',
      '/v1/models/towers:predict?a=b:predict',
    ])
      expect({ path, ...(await post(app, path, body)) }).toMatchObject({ status: 200, text })
  })

  test('passes over columns that the signature does not have', async () => {
    const { status } = await post(app, '/v1/models/towers:predict', {
      signature_name: 'query',
      inputs: { user_id: ids, other: { a: null } },
    })
    expect(status).toBe(200)
  })

  test('writes a whole float with its point, as the server in C++ does', async () => {
    const { text } = await post(await serving({ m: 'defaults' }), '/v1/models/m:predict', { inputs: { x: [2] } })
    expect(text).toContain('"y": [3.0]')
  })

  // util/json_tensor.cc parses with rapidjson's kParseNanAndInfFlag.
  test('takes every NaN and infinity that rapidjson takes', async () => {
    const body = '{"inputs": {"x": [Inf, -Inf, Infinity, NaN, -NaN]}}'
    const response = await (await serving({ m: 'defaults' })).request('/v1/models/m:predict', { method: 'POST', body })
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('"y": [Infinity, -Infinity, Infinity, NaN, NaN]')
  })

  test.each([
    [
      `{"inputs": {"x": [-1${'0'.repeat(39)}]}}`,
      /cannot convert JSON value: -1e\+39 to float without loss of precision/,
    ],
    ['{"inputs": {"x": [1e39]}}', /cannot convert JSON value: 1e\+39 to float without loss of precision/],
    ['{"instances": [{"x": -3.5e38, "scale": 1, "shift": 1}]}', /cannot convert JSON value: -3.5e\+38 to float/],
    ['{"inputs": {"x": [1e400]}}', /a number that a double can hold at position 23, got 1e400/],
  ])('%s does not fit a float, and is refused', async (body, said) => {
    expect(await post(await serving({ m: 'defaults' }), '/v1/models/m:predict', body)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(said) },
    })
  })

  // absl::Base64Unescape.
  test.each([
    ['NDI=', 200],
    ['NDI', 200],
    [' N D\nI = ', 200],
    ['N', 400],
    ['NDI==', 400],
    ['ND=I', 400],
    ['NDI=NDI=', 400],
    ['ND*=', 400],
  ])('bytes as {"b64": %j} are answered %i', async (b64, status) => {
    const answer = await post(app, '/v1/models/towers:predict', { signature_name: 'query', instances: [{ b64 }] })
    expect(answer.status).toBe(status)
    const same = await post(app, '/v1/models/towers:predict', { signature_name: 'query', instances: ['42'] })
    if (status === 200) expect(answer.text).toBe(same.text)
    else expect(answer.body.error).toContain('Unable to base64 decode')
  })

  // Words and codes: model_servers/http_rest_api_handler_test.cc and util/json_tensor.cc.
  const refused: readonly (readonly [path: string, body: unknown, status: number, said: RegExp])[] = [
    ['/v1/models/towers:predict', '', 400, /^JSON Parse error: The document is empty$/],
    ['/v1/models/towers:predict', 'instances = [1, 2]', 400, /^JSON Parse error: Invalid value\./],
    ['/v1/models/towers:predict', '[1]', 400, /^JSON Value: \[1\] Is not object$/],
    ['/v1/models/towers:predict', { signature_name: 100 }, 400, /'signature_name' key must be a string value\.$/],
    [
      '/v1/models/towers:predict',
      { signature_name: 'x' },
      400,
      /^Serving signature name: "x" not found in signature def$/,
    ],
    ['/v1/models/towers:predict', { signature_name: 'query' }, 400, /^Missing 'inputs' or 'instances' key$/],
    [
      '/v1/models/towers:predict',
      { signature_name: 'query', inputs: [], instances: [] },
      400,
      /only one of 'inputs' or 'instances'/,
    ],
    [
      '/v1/models/towers:predict',
      { signature_name: 'query', instances: {} },
      400,
      /Expecting 'instances' to be an list\/array$/,
    ],
    ['/v1/models/towers:predict', { signature_name: 'query', instances: [] }, 400, /No values in 'instances' array$/],
    [
      '/v1/models/towers:predict',
      { signature_name: 'query', instances: [1] },
      400,
      /"user_id" must be string.*number 1/,
    ],
    ['/v1/models/towers:predict', { signature_name: 'query', instances: [['a', 'b'], ['c']] }, 400, /ragged/],
    ['/v1/models/towers:predict', { signature_name: 'score', instances: [{ user_id: 'a' }] }, 400, /movie_id/],
    ['/v1/models/foo:predict', { instances: [1] }, 404, /^Servable not found for request: Latest\(foo\)$/],
    [
      '/v1/models/foo/versions/50:predict',
      { instances: [1] },
      404,
      /^Servable not found for request: Specific\(foo, 50\)$/,
    ],
    ['/v1/models/towers/versions/99:predict', { instances: [1] }, 404, /Specific\(towers, 99\)/],
    [
      '/v1/models/towers/labels/canary:predict',
      { instances: [1] },
      400,
      /^Unrecognized servable version label: canary$/,
    ],
    [
      '/v1/models/towers/versions/18446744073709551615:regress',
      '',
      400,
      /^Failed to convert version: 18446744073709551615 to numeric\.$/,
    ],
  ]
  test.each(refused)('%s with %j is refused with %i', async (path, body, status, said) => {
    const answer = await post(app, path, body)
    expect(Object.keys(answer.body)).toEqual(['error'])
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(said) } })
  })

  test.each([
    ['GET', '/v1/foo'],
    ['POST', '/v1/foo'],
    ['GET', '/v1/models/debug/model_name'],
    ['GET', '/v1/models/foo/version/50:predict'],
    ['POST', '/v1/models/foo/version/50:regress'],
    ['POST', '/v1/models/foo/versions/HELLO:regress'],
    ['POST', '/v1/models/foo/label/some_label:regress'],
    ['POST', '/v1/models/foo/versions/50/labels/some_label:regress'],
  ])('%s %s is malformed', async (method, path) => {
    const answer = await answered(app.request(path, { method }))
    expect(answer).toMatchObject({ status: 400, body: { error: `Malformed request: ${method} ${path}` } })
  })

  test.each([
    ['GET', '/v1/models/foo:predict'],
    ['POST', '/v1/models'],
    ['POST', '/v1/models/foo/metadata'],
    ['DELETE', '/v1/models/foo'],
  ])('%s %s is of a method that the path does not take', async (method, path) => {
    const answer = await answered(app.request(path, { method }))
    expect(answer).toMatchObject({ status: 405, body: { error: `Malformed request: ${method} ${path}` } })
  })
})

describe('classify and regress', () => {
  /** The examples of test/fixtures/make/serving.py. */
  const examples = `[
    {"age": 31.0, "visits": 4, "city": "Wien"},
    {"age": -0.5, "visits": [9007199254740993], "city": {"b64": "//4="}},
    {"age": 8e1, "visits": false}
  ]`
  const cases = new Map(golden('examples').map((item) => [item.signature, item.outputs]))

  test.each(['serving_default', 'scores'])(
    'classify by %s gives the labels and scores of each example',
    async (name) => {
      const { status, body } = await post(
        app,
        '/v1/models/examples:classify',
        `{"signature_name": "${name}", "examples": ${examples}}`,
      )
      const { classes, scores } = cases.get(name) as Recorded['outputs']
      expect(status).toBe(200)
      const results = body.results as (readonly [string, number])[][]
      expect(results.map((row) => row.length)).toEqual([3, 3, 3])
      expectClose(
        results.flat().map(([, score]) => score),
        scores.data,
      )
      expect(results.flat().map(([label]) => label)).toEqual(classes?.data ?? Array(9).fill(''))
    },
  )

  test.each(['regress', 'column'])('regress by %s gives a value an example', async (name) => {
    const { status, body } = await post(
      app,
      '/v1/models/examples/versions/1:regress',
      `{"signature_name": "${name}", "examples": ${examples}}`,
    )
    expect(status).toBe(200)
    expectClose(body.results, cases.get(name)?.outputs.data as number[])
  })

  test('features of the context are those of every example', async () => {
    const { body } = await post(
      app,
      '/v1/models/examples:regress',
      '{"signature_name": "regress", "context": {"visits": 4, "city": "Wien"}, "examples": [{"age": 31.0}, {"age": 31.0}]}',
    )
    const { outputs } = cases.get('regress') as Recorded['outputs']
    const [first] = outputs.data
    expectClose(body.results, [first, first])
  })

  const refused: readonly (readonly [api: string, body: string, said: RegExp])[] = [
    ['classify', '{}', /key 'examples' is expected and was not found/],
    ['classify', '{"examples": {}}', /Expecting 'examples' value to be an list\/array/],
    ['regress', '{"examples": []}', /'examples' value is an empty array/],
    ['regress', '{"examples": [1]}', /Example must be JSON object but got JSON Number/],
    ['regress', '{"context": [], "examples": [{}]}', /Example must be JSON object but got JSON Array/],
    ['regress', '{"examples": [{"age": null}]}', /Feature: age has element with unexpected JSON type: Null/],
    ['regress', '{"examples": [{"age": [[1]]}]}', /Feature: age has element with unexpected JSON type: Array/],
    ['regress', '{"examples": [{"age": {"b": 1}}]}', /Feature: age has element with unexpected JSON type: Object/],
    ['regress', '{"examples": [{"age": [1.5, "a"]}]}', /Unexpected element type in feature: age expecting type: float/],
    ['regress', '{"examples": [{"age": [1, 2.0]}]}', /Unexpected element type in feature: age expecting type: int64/],
    ['regress', '{"examples": [{"visits": 18446744073709551615}]}', /visits has uint64_t element/],
    ['regress', '{"signature_name": "nope", "examples": [{}]}', /No signature was found with the name: nope/],
    ['regress', '{"examples": [{}]}', /Expected one output Tensor\./],
    ['classify', '{"signature_name": "regress", "examples": [{}]}', /at least one of "classes" or "scores"/],
    ['regress', '{"signature_name": "regress", "examples": [{"age": 1.5}]}', /visits/],
    ['regress', '{"signature_name": "regress", "examples": [{"age": 1, "visits": 1}]}', /age/],
  ]
  test.each(refused)('%s of %s is refused', async (api, body, said) => {
    expect(await post(app, `/v1/models/examples:${api}`, body)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(said) },
    })
  })
})

describe('status and metadata', () => {
  test('the status of all versions, of one, and of one by its label', async () => {
    const version = { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }
    for (const path of ['/v1/models/towers', '/v1/models/towers/versions/1', '/v1/models/towers/labels/any'])
      expect(await get(app, path)).toMatchObject({ status: 200, body: { model_version_status: [version] } })
  })

  test('what is not there is not found', async () => {
    expect(await get(app, '/v1/models')).toMatchObject({
      status: 400,
      body: { error: 'Missing model name in request.' },
    })
    expect(await get(app, '/v1/models/foo')).toMatchObject({
      status: 404,
      body: { error: 'Could not find any versions of model foo' },
    })
    expect(await get(app, '/v1/models/towers/versions/7')).toMatchObject({
      status: 404,
      body: { error: 'Could not find version 7 of model towers' },
    })
    expect((await get(app, '/v1/models/foo/metadata')).status).toBe(404)
  })

  test('metadata has the signatures in the form of TensorFlow’s protobuf', async () => {
    const { status, body } = await get(app, '/v1/models/towers/metadata')
    expect(status).toBe(200)
    const { model_spec, metadata } = body as Record<string, Record<string, never>>
    expect(model_spec).toEqual({ name: 'towers', signature_name: '', version: '1' })
    const definitions = (metadata.signature_def as { signature_def: Record<string, unknown> }).signature_def
    expect(Object.keys(definitions).sort()).toEqual(['candidate', 'matrix', 'query', 'score'])
    expect(definitions.query).toMatchObject({
      inputs: {
        user_id: { dtype: 'DT_STRING', tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false } },
      },
      outputs: {
        embedding: {
          dtype: 'DT_FLOAT',
          tensor_shape: {
            dim: [
              { size: '-1', name: '' },
              { size: '64', name: '' },
            ],
          },
        },
      },
      method_name: 'tensorflow/serving/predict',
      defaults: {},
    })
  })

  test('the latest version is asked, an older one by its number or label', async () => {
    const model = new ServedModel('m', new Map([['stable', 2n]]))
    const limits = { maxRows: 1, maxWait: 0 }
    model.serve(new Version(2n, await loaded('tower_signatures'), limits, NO_OBSERVER))
    model.serve(new Version(10n, await loaded('defaults'), limits, NO_OBSERVER))
    model.mark(11n, 'END', 'saved_model.pb: missing')
    const versions = createApp(new Models([model]))
    const body = { inputs: { x: [0.5] } }
    expect((await post(versions, '/v1/models/m:predict', body)).status).toBe(200)
    expect(
      (await post(versions, '/v1/models/m/labels/stable:predict', { ...body, signature_name: 'query' })).body.error,
    ).toContain('user_id')
    expect((await get(versions, '/v1/models/m')).body.model_version_status).toEqual([
      { version: '2', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
      { version: '10', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
      { version: '11', state: 'END', status: { error_code: 'UNKNOWN', error_message: 'saved_model.pb: missing' } },
    ])
  })
})
