import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Similarity } from '../../../src/graph/index.ts'
import { ExactIndex } from '../../../src/search/index.ts'
import { createApp } from '../../../src/serve/app.ts'
import { Models, ServedModel, Version } from '../../../src/serve/models.ts'
import { NO_OBSERVER } from '../../../src/serve/observer.ts'
import { expectClose, golden, type Recorded } from './goldens.ts'
import { answered, loaded, post, serving } from './served.ts'

type App = Awaited<ReturnType<typeof serving>>

describe('the two towers', () => {
  const cases = golden('tower_signatures')
  const of = (name: string) =>
    cases.find(({ signature, inputs }) => signature === name && Object.values(inputs)[0].shape[0] > 1) as Recorded
  const [query, candidate, score] = [of('query'), of('candidate'), of('score')]
  const width = 64
  const items = candidate.inputs.movie_id.data as string[]
  let app: App
  beforeAll(async () => {
    const model = await loaded('tower_signatures')
    const served = new ServedModel('m')
    const vectors = Float32Array.from(candidate.outputs.embedding.data)
    const index = new ExactIndex(items, vectors, model.structure.similarity as Similarity)
    served.serve(new Version(1n, model, { maxRows: 8, maxWait: 0 }, NO_OBSERVER, index))
    app = createApp(new Models([served]))
  })

  test.each([
    ['query', 'user_id', query],
    ['candidate', 'movie_id', candidate],
  ])('%s:embed gives each instance its embedding', async (side, feature, { inputs, outputs }) => {
    const instances = inputs[feature].data.map((value) => ({ [feature]: value, id: 'left alone' }))
    const { status, body } = await post(app, `/v1/towers/${side}:embed`, { instances })
    expect(status).toBe(200)
    expectClose((body.embeddings as number[][]).flat(), outputs.embedding.data)
  })

  test('bad requests of any kind spoil none that come with them', async () => {
    const users = query.inputs.user_id.data as readonly string[]
    const bad: readonly unknown[] = [
      { user_id: null },
      { user_id: 7 },
      { user_id: ['1', '2'] },
      { user_id: [['1']] },
      { user_id: { a: 1 } },
      { movie_id: '1' },
      {},
      7,
      null,
    ]
    const paths = ['/v1/towers/query:embed', '/v1/models/m/versions/1:predict'] as const
    // A user's number, or past them a bad request's.
    const asked = fc.array(fc.nat(users.length + bad.length - 1), { minLength: 2, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(asked, fc.constantFrom(...paths), async (numbers, path) => {
        const answers = await Promise.all(
          numbers.map((n) => {
            const instance = n < users.length ? { user_id: users[n] } : bad[n - users.length]
            return post(app, path, { signature_name: 'query', instances: [instance] })
          }),
        )
        for (const [i, n] of numbers.entries()) {
          const { status, body } = answers[i]
          expect(status, JSON.stringify(bad[n - users.length])).toBe(n < users.length ? 200 : 400)
          if (n >= users.length) continue
          const [found] = (body.embeddings ?? body.predictions) as readonly number[][]
          expectClose(found, query.outputs.embedding.data.slice(n * width, (n + 1) * width))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('score compares pairs of features, of embeddings, or of both', async () => {
    const [users, movies, scores] = [score.inputs.user_id.data, score.inputs.movie_id.data, score.outputs.score.data]
    for (const [i, wanted] of scores.entries()) {
      const pair = { query: { user_id: users[i] }, candidate: { movie_id: movies[i] } }
      const { body } = await post(app, '/v1/towers:score', pair)
      expectClose([body.score], [wanted])
    }
    const embedding = (await post(app, '/v1/towers/query:embed', { instances: [{ user_id: users[0] }] })).body
      .embeddings[0]
    const candidates = [{ movie_id: movies[0] }, { movie_id: movies[0] }]
    const { body } = await post(app, '/v1/towers:score', { query: embedding, candidates })
    expectClose(body.scores, [scores[0], scores[0]])
  })

  test('search gives the nearest items, for features and for an embedding', async () => {
    const [user] = query.inputs.user_id.data
    const vector = query.outputs.embedding.data.slice(0, width)
    // By the definition of the dot product.
    const wanted = items
      .map((id, i) => ({
        id,
        score: vector.reduce((sum, value, j) => sum + value * candidate.outputs.embedding.data[i * width + j], 0),
      }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 2)
    for (const asked of [{ user_id: user }, vector]) {
      const { status, body } = await post(app, '/v1/towers:search', { query: asked, k: 2 })
      expect(status).toBe(200)
      const neighbors = body.neighbors as { readonly id: string; readonly score: number }[]
      expectClose(
        neighbors.map((item) => item.score),
        wanted.map((item) => item.score),
      )
    }
  })

  test('what is not finite is null, and spoils no other answer', async () => {
    const { status, body } = await post(app, '/v1/towers:score', {
      query: Array(64).fill(1),
      candidates: [Array(64).fill(1e38), Array(64).fill(1)],
    })
    expect(status).toBe(200)
    expect(body.scores).toEqual([null, 64])
  })

  test('search leaves out what a filter does not let through', async () => {
    const all = { query: query.outputs.embedding.data.slice(0, width), k: items.length }
    const ids = async (body: object) => {
      const { body: found } = await post(app, '/v1/towers:search', body)
      return (found.neighbors as { readonly id: string }[]).map(({ id }) => id)
    }
    const [best, ...others] = await ids(all)
    expect(await ids({ ...all, exclude: [best] })).toEqual(others)
    expect(await ids({ ...all, include: [best] })).toEqual([best])
    expect(await ids({ ...all, restricts: [{ namespace: 'color', allow: ['red'] }] })).toEqual([])
    const { status, text } = await post(app, '/v1/towers:search', { ...all, restricts: 'red' })
    expect([status, text]).toEqual([400, expect.stringContaining('must be a list')])
  })

  test.each([
    ['/v1/towers/query:embed', {}, 400],
    ['/v1/towers/query:embed', { instances: [] }, 400],
    ['/v1/towers/query:embed', { instances: ['1'] }, 400],
    ['/v1/towers/query:embed', { instances: [{ user: '1' }] }, 400],
    ['/v1/towers/query:embed', { instances: [{ user_id: '1' }], model: 'other' }, 404],
    ['/v1/towers/query:embed', [], 400],
    ['/v1/towers:score', { query: { user_id: '1' } }, 400],
    ['/v1/towers:score', { query: { user_id: '1' }, candidates: [] }, 400],
    ['/v1/towers:score', { query: [1, 2], candidate: [1, 2, 3] }, 400],
    ['/v1/towers:search', { query: [1, 2] }, 400],
    ['/v1/towers:search', { query: { user_id: '1' }, k: 0 }, 400],
    ['/v1/towers:search', { query: { user_id: '1' }, k: 1.5 }, 400],
    ['/v1/towers:search', { k: 1 }, 400],
    ['/v1/towers:search', { query: Array(64).fill(1e39) }, 400],
    ['/v1/towers:search', `{"query": [NaN${', 1'.repeat(63)}]}`, 400],
  ])('%s with %j is refused with %i', async (path, body, status) => {
    expect(await post(app, path, body)).toMatchObject({ status, body: { error: expect.any(String) } })
  })

  test('another method is refused with the one that is taken', async () => {
    const response = await app.request('/v1/towers:score')
    expect(response.headers.get('allow')).toBe('POST')
    expect((await answered(response)).status).toBe(405)
  })

  test('a model without a tower, or a server without items, says so', async () => {
    const one = await serving({ m: 'vertex_pair/query_model' })
    expect(await post(one, '/v1/towers/candidate:embed', { instances: [{}] })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('no candidate tower') },
    })
    expect(await post(one, '/v1/towers:search', { query: [1] })).toMatchObject({ status: 404 })
  })
})
