import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../../src/serve/app.ts'
import { serve } from '../../../src/serve/index.ts'
import { Models, ServedModel } from '../../../src/serve/models.ts'
import { NO_OBSERVER } from '../../../src/serve/observer.ts'
import { answered, get, loaded, post, serving } from './served.ts'

const PATH = '/v1/models/m:predict'
const BODY = JSON.stringify({ signature_name: 'query', instances: ['1', '2', '3'] })
const models = { m: 'tower_signatures' }

/** A body that comes in pieces, of a length that nobody knows. */
const pieces = (...parts: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(typeof part === 'string' ? new TextEncoder().encode(part) : part)
      controller.close()
    },
  })

describe('the app', () => {
  test('is not healthy before its models are loaded, nor when it is about to leave', async () => {
    let leaving = false
    const served = new ServedModel('m')
    const app = createApp(new Models([served]), { leaving: () => leaving, routes: { health: '/ping' } })
    expect((await get(app, '/ping')).status).toBe(503)
    expect((await post(app, PATH, BODY)).status).toBe(404)
    const ready = await serving(models, { leaving: () => leaving })
    expect((await get(ready, '/health')).status).toBe(200)
    leaving = true
    expect((await get(ready, '/health')).status).toBe(503)
    expect((await post(ready, PATH, BODY)).status).toBe(200)
  })

  test('says with 405 what a path takes, and with 404 where there is none', async () => {
    const app = await serving(models)
    for (const [path, method, allowed] of [
      ['/health', 'POST', 'GET, HEAD'],
      ['/predict', 'GET', 'POST'],
      ['/v1/models/m', 'DELETE', 'GET, HEAD'],
      [PATH, 'PUT', 'POST'],
    ]) {
      const response = await app.request(path, { method })
      expect({ path, status: response.status, allow: response.headers.get('allow') }).toEqual({
        path,
        status: 405,
        allow: allowed,
      })
    }
    expect(await get(app, '/nowhere')).toMatchObject({ status: 404, body: { error: 'there is no GET /nowhere' } })
  })

  test('answers HEAD as GET, without a body', async () => {
    const app = await serving(models)
    for (const path of ['/health', '/v1/models/m', '/v1/models/m/metadata', '/openapi.json']) {
      const response = await app.request(path, { method: 'HEAD' })
      expect({ path, status: response.status, text: await response.text() }).toEqual({ path, status: 200, text: '' })
      expect(response.headers.get('content-type')).toBe('application/json')
    }
    expect((await app.request(PATH, { method: 'HEAD' })).status).toBe(405)
    expect((await app.request('/nowhere', { method: 'HEAD' })).status).toBe(404)
  })

  test('takes one path for health and predictions', async () => {
    const app = await serving(models, { routes: { health: '/', predict: '/' } })
    expect((await get(app, '/')).status).toBe(200)
    expect((await post(app, '/', { instances: ['1'], parameters: { signature_name: 'query' } })).status).toBe(200)
  })

  test('reads a body in pieces and in gzip, and refuses one that is too large either way', async () => {
    const app = await serving(models, { maxBody: 2000 })
    const send = (body: BodyInit, headers: Record<string, string> = {}) =>
      answered(app.request(PATH, { method: 'POST', body, headers, duplex: 'half' } as RequestInit))
    expect((await send(pieces(BODY.slice(0, 9), BODY.slice(9)))).status).toBe(200)
    const packed = { 'content-encoding': 'gzip' }
    expect((await send(gzipSync(BODY), packed)).status).toBe(200)
    expect((await send(BODY, { 'content-length': '2001' })).status).toBe(413)
    expect((await send(pieces(' '.repeat(1500), ' '.repeat(1500)))).status).toBe(413)
    expect((await send(gzipSync(' '.repeat(100_000)), packed)).status).toBe(413)
    expect((await send(BODY, packed)).status).toBe(400)
    expect((await send(gzipSync(BODY).subarray(0, 40), packed)).status).toBe(400)
    expect((await send(BODY, { 'content-encoding': 'br' })).status).toBe(415)
    expect((await send(Uint8Array.from([0x22, 0xff, 0x22]))).body.error).toContain('not UTF-8')
  })

  test('packs an answer of a kilobyte for who takes gzip', async () => {
    const app = await serving(models)
    const ask = (body: string, accepted = 'gzip, br') =>
      app.request(PATH, { method: 'POST', body, headers: { 'accept-encoding': accepted } })
    const large = await ask(BODY)
    expect(large.headers.get('content-encoding')).toBe('gzip')
    const text = await new Response(large.body?.pipeThrough(new DecompressionStream('gzip'))).text()
    expect(text).toBe((await post(app, PATH, BODY)).text)
    expect((await ask('{}')).headers.get('content-encoding')).toBe(null)
    for (const [accepted, coding] of [
      ['br, GZIP;q=0.5', 'gzip'],
      ['gzip; q=0.001', 'gzip'],
      ['gzip;q=0', null],
      ['br, gzip; q=0.000', null],
      ['not-gzip', null],
    ] as const)
      expect([accepted, (await ask(BODY, accepted)).headers.get('content-encoding')]).toEqual([accepted, coding])
  })

  test('lets pages of an origin ask, also for what brings a token, and of none where it is not told to', async () => {
    const origin = 'https://shop.example'
    const app = await serving(models, { cors: origin, token: 'secret' })
    const preflight = await app.request(PATH, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect([preflight.status, await preflight.text()]).toEqual([200, ''])
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type/i)
    const headers = { origin, authorization: 'Bearer secret', 'accept-encoding': 'gzip' }
    for (const [body, status] of [
      [BODY, 200],
      ['{}', 400],
    ] as const) {
      const answer = await app.request(PATH, { method: 'POST', body, headers })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([status, origin])
    }
    const refused = await app.request(PATH, { method: 'POST', body: BODY, headers: { origin } })
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin])
    const closed = await serving(models)
    expect((await closed.request(PATH, { method: 'OPTIONS', headers: { origin } })).status).toBe(405)
    const answer = await closed.request(PATH, { method: 'POST', body: BODY, headers: { origin } })
    expect(answer.headers.get('access-control-allow-origin')).toBe(null)
    for (const cors of ['shop.example', 'https://shop.example/', 'https://a https://b', ''])
      await expect(serving(models, { cors })).rejects.toThrow('cors must be an origin, as https://shop.example, or *')
  })

  test('answers 429 past as many requests as it takes, and the others', async () => {
    const app = await serving(models, { maxRequests: 3 })
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(app, PATH, BODY)))
    const count = (status: number) => answers.filter((answer) => answer.status === status).length
    expect([count(200), count(429)]).toEqual([3, 7])
    expect((await post(app, PATH, BODY)).status).toBe(200)
  })

  test('does not run what came too late', async () => {
    const app = await serving(models, { timeout: -1 })
    expect(await post(app, PATH, BODY)).toMatchObject({
      status: 504,
      body: { error: expect.stringContaining('Deadline exceeded') },
    })
  })

  test('keeps what broke for the log', async () => {
    const broken: unknown[] = []
    const app = await serving(models, {
      observer: {
        ...NO_OBSERVER,
        stage(name) {
          if (name === 'decode') throw new Error('secret')
        },
        broke: (error) => broken.push(error),
      },
    })
    const { status, text } = await post(app, PATH, BODY)
    expect(status).toBe(500)
    expect(text).not.toContain('secret')
    expect(broken).toEqual([new Error('secret')])
  })

  test('wants its token, whole', async () => {
    const app = await serving(models, { token: 'sesame' })
    const ask = async (authorization: string) =>
      (await app.request(PATH, { method: 'POST', body: BODY, headers: { authorization } })).status
    expect(await ask('Bearer sesame')).toBe(200)
    expect(await ask('bearer  sesame')).toBe(200)
    for (const wrong of ['', 'Bearer', 'Bearer ', 'Bearer s', 'Bearer sesamesesame', 'Bearer sesamf', 'Basic sesame'])
      expect({ wrong, status: await ask(wrong) }).toEqual({ wrong, status: 401 })
  })
})

describe('twotower/serve', () => {
  test('gives a fetch handler over one model or several', async () => {
    const model = await loaded('tower_signatures')
    const ask = (name: string) => new Request(`http://x/v1/models/${name}:predict`, { method: 'POST', body: BODY })
    expect((await serve(model).fetch(ask('model'))).status).toBe(200)
    const several = serve({ a: model, b: await loaded('defaults') }, { maxBatch: 1, routes: { health: '/ok' } })
    expect((await several.fetch(ask('a'))).status).toBe(200)
    expect((await several.fetch(ask('b'))).status).toBe(400)
    expect((await several.fetch(new Request('http://x/ok'))).status).toBe(200)
    expect(() => serve({})).toThrow(RangeError)
  })
})

describe('the OpenAPI document', () => {
  test('has the paths of the models that are served, with their signatures as schemas', async () => {
    const app = await serving({ towers: 'tower_signatures', 'a/b': 'examples' }, { token: 't' })
    const response = await app.request('/openapi.json', { headers: { authorization: 'Bearer t' } })
    const { openapi, paths, security } = (await response.json()) as Record<string, Record<string, never>>
    expect(openapi).toBe('3.1.0')
    expect(security).toEqual([{ token: [] }])
    const at = (name: string) => `/v1/models/${name}`
    expect(
      Object.keys(paths)
        .filter((path) => !path.includes('{version}'))
        .sort(),
    ).toEqual(
      [
        '/health',
        '/predict',
        '/v1/towers/query:embed',
        '/v1/towers/candidate:embed',
        '/v1/towers:score',
        at('towers'),
        `${at('towers')}/metadata`,
        `${at('towers')}:predict`,
        at('a%2Fb'),
        `${at('a%2Fb')}/metadata`,
        `${at('a%2Fb')}:predict`,
        `${at('a%2Fb')}:classify`,
        `${at('a%2Fb')}:regress`,
      ].sort(),
    )
    expect(JSON.stringify(paths['/v1/towers/query:embed'])).toContain('"required":["user_id"]')
  })

  test('has the bounds of 64-bit integers in full digits, which are taken, and no larger ones', async () => {
    const app = await serving({ m: 'int64_exact' })
    expect((await get(app, '/openapi.json')).text).toContain(
      '"minimum": -9223372036854775808, "maximum": 9223372036854775807',
    )
    for (const [id, status] of [
      ['9223372036854775807', 200],
      ['-9223372036854775808', 200],
      ['9223372036854775808', 400],
    ] as const)
      expect({ id, ...(await post(app, PATH, `{"inputs": {"a": [${id}], "b": [1]}}`)) }).toMatchObject({ status })
  })

  test('has both methods of a path that Vertex AI asks for health and for predictions', async () => {
    const app = await serving(models, { routes: { health: '/', predict: '/' } })
    const { paths } = (await get(app, '/openapi.json')).body as Record<string, Record<string, object>>
    expect(Object.keys(paths['/']).sort()).toEqual(['get', 'post'])
  })
})
