import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Datapoint } from '../../../src/search/datapoint.ts'
import { ItemIndex } from '../../../src/search/itemindex.ts'
import { createApp } from '../../../src/serve/app.ts'
import { Models } from '../../../src/serve/models.ts'
import { NO_OBSERVER } from '../../../src/serve/observer.ts'
import { fixture } from '../exchange/files.ts'
import { get, post } from './served.ts'

const PROJECT = '/v1/projects/p/locations/us-central1'
const FIND = `${PROJECT}/indexEndpoints/1:findNeighbors`
const READ = `${PROJECT}/indexEndpoints/1:readIndexDatapoints`
const UPSERT = `${PROJECT}/indexes/2:upsertDatapoints`
const REMOVE = `${PROJECT}/indexes/2:removeDatapoints`

const ITEMS: readonly Datapoint[] = [
  {
    id: 'a',
    embedding: Float32Array.of(1, 0),
    restricts: [{ namespace: 'color', allow: ['red'] }],
    numericRestricts: [{ namespace: 'size', type: 'int', value: 2n ** 53n + 1n }],
    crowdingTag: 'x',
  },
  {
    id: 'b',
    embedding: Float32Array.of(0.5, 0.5),
    restricts: [{ namespace: 'color', allow: ['blue'], deny: ['red'] }],
    numericRestricts: [{ namespace: 'size', type: 'int', value: 3n }],
    crowdingTag: 'x',
  },
  { id: 'c', embedding: Float32Array.of(0, 2), numericRestricts: [{ namespace: 'price', type: 'float', value: 0.1 }] },
]

const indexOf = (metric: 'dot' | 'cosine' | 'euclidean') => ItemIndex.of(ITEMS, { similarity: metric })
const served = (index: ItemIndex, options = {}) => createApp(new Models([]), { index, ...options })
const query = (featureVector: readonly number[], more = {}, datapoint = {}) => ({
  deployedIndexId: 'd',
  queries: [{ datapoint: { featureVector, ...datapoint }, ...more }],
})

interface Neighbors {
  readonly nearestNeighbors: readonly {
    readonly id: string
    readonly neighbors: readonly { readonly datapoint: { readonly datapointId: string }; readonly distance: number }[]
  }[]
}
const found = (body: unknown): (readonly [string, number])[] =>
  (body as Neighbors).nearestNeighbors[0].neighbors.map(({ datapoint, distance }) => [datapoint.datapointId, distance])
const ids = (body: unknown): string[] => found(body).map(([id]) => id)

describe("Vector Search's findNeighbors", () => {
  let app: ReturnType<typeof served>
  beforeEach(async () => {
    app = served(await indexOf('dot'))
  })

  // By the definitions of the measures.
  test.each([
    [
      'dot',
      [
        ['c', 2],
        ['a', 1],
        ['b', 1],
      ],
    ],
    [
      'cosine',
      [
        ['b', 0],
        ['a', 1 - Math.SQRT1_2],
        ['c', 1 - Math.SQRT1_2],
      ],
    ],
    [
      'euclidean',
      [
        ['b', 0.5],
        ['a', 1],
        ['c', 2],
      ],
    ],
  ] as const)('gives distances as %s has them, the nearest first', async (metric, wanted) => {
    const { status, body } = await post(served(await indexOf(metric)), FIND, query([1, 1]))
    expect(status).toBe(200)
    expect(ids(body)).toEqual(wanted.map(([id]) => id))
    for (const [i, [, distance]] of found(body).entries()) expect(distance).toBeCloseTo(wanted[i][1], 6)
  })

  test("gives the id and the crowding tag, or all of a datapoint, in protobuf's JSON", async () => {
    const one = (await post(app, FIND, query([1, 0], { neighborCount: 1 }, { datapointId: 'asked' }))).body
    expect(one).toEqual({
      nearestNeighbors: [
        {
          id: 'asked',
          neighbors: [{ datapoint: { datapointId: 'a', crowdingTag: { crowdingAttribute: 'x' } }, distance: 1 }],
        },
      ],
    })
    const { body } = await post(app, FIND, { ...query([1, 0], { neighborCount: 1 }), returnFullDatapoint: true })
    expect((body as unknown as Neighbors).nearestNeighbors[0].neighbors[0].datapoint).toEqual({
      datapointId: 'a',
      featureVector: [1, 0],
      restricts: [{ namespace: 'color', allowList: ['red'] }],
      numericRestricts: [{ namespace: 'size', valueInt: '9007199254740993' }],
      crowdingTag: { crowdingAttribute: 'x' },
    })
  })

  test('asks by the id of an item, and several at once', async () => {
    const queries = [{ datapoint: { datapointId: 'c' }, neighborCount: 2 }, { datapoint: { featureVector: [1, 0] } }]
    const { body } = await post(app, FIND, { queries })
    const all = (body as unknown as Neighbors).nearestNeighbors
    expect(all.map(({ id }) => id)).toEqual(['c', ''])
    expect(all.map(({ neighbors }) => neighbors.map(({ datapoint }) => datapoint.datapointId))).toEqual([
      ['c', 'b'],
      ['a', 'b', 'c'],
    ])
  })

  test.each([
    ['a token', { restricts: [{ namespace: 'color', allowList: ['red'] }] }, ['a']],
    ['a token, in snake_case', { restricts: [{ namespace: 'color', allow_list: ['red', 'blue'] }] }, ['a']],
    ['a token that is denied', { restricts: [{ namespace: 'color', denyList: ['blue'] }] }, ['a', 'c']],
    ['an int as text', { numericRestricts: [{ namespace: 'size', valueInt: '9007199254740993', op: 'EQUAL' }] }, ['a']],
    ['an int', { numeric_restricts: [{ namespace: 'size', value_int: 3, op: 'LESS_EQUAL' }] }, ['b']],
    ['an operator by number', { numericRestricts: [{ namespace: 'size', valueInt: '3', op: 5 }] }, ['a']],
    ['a float', { numericRestricts: [{ namespace: 'price', valueFloat: 0.1, op: 'EQUAL' }] }, ['c']],
    ['another type', { numericRestricts: [{ namespace: 'price', valueDouble: 0.1, op: 'EQUAL' }] }, []],
    ['nothing', { restricts: null, numericRestricts: [] }, ['a', 'b', 'c']],
  ])('filters by %s', async (_, datapoint, wanted) => {
    const { status, body } = await post(app, FIND, query([1, 0.1], {}, datapoint))
    expect(status).toBe(200)
    expect(ids(body).sort()).toEqual(wanted)
  })

  test('limits the items of a crowding tag, and their number', async () => {
    const crowded = query([1, 0.1], { perCrowdingAttributeNeighborCount: 1 })
    expect(ids((await post(app, FIND, crowded)).body)).toEqual(['a', 'c'])
    const approximate = {
      neighbor_count: '2',
      approximateNeighborCount: 10,
      fraction_leaf_nodes_to_search_override: 0.5,
    }
    expect(ids((await post(app, FIND, query([1, 0.1], approximate))).body)).toEqual(['a', 'b'])
  })

  test.each([
    [{ queries: [{ datapoint: { featureVector: [1] } }] }, 400, '1 dimensions, the items have 2'],
    [query([]), 400, 'queries[0]: the datapoint must have a "featureVector"'],
    [{ queries: [{ datapoint: { datapointId: 'z' } }] }, 404, 'queries[0]: there is no datapoint "z"'],
    ['{"queries": [{"datapoint": {"featureVector": [NaN, 1]}}]}', 400, 'must be finite'],
    [query([1, 1], { neighborCount: -1 }), 400, '"neighborCount" must be a whole number'],
    [query([1, 1], { neighborCount: 10_001 }), 400, 'at most 10000'],
    [query([1, 1], { fractionLeafNodesToSearchOverride: 2 }), 400, 'over 0 up to 1'],
    [query([1, 1], { neighbours: 1 }), 400, 'a query has no field "neighbours"'],
    [query([1, 1], { neighborCount: 1, neighbor_count: 1 }), 400, 'twice'],
    [query([1, 1], {}, { sparseEmbedding: { values: [1], dimensions: ['1'] } }), 400, 'not searched here'],
    [query([1, 1], { rrf: { alpha: 0.5 } }), 400, 'sparse embeddings'],
    [query([1, 1], {}, { numericRestricts: [{ namespace: 'size', valueInt: '1' }] }), 400, '"op"'],
    [query([1, 1], {}, { numericRestricts: [{ namespace: 'size', valueInt: '1', op: 0 }] }), 400, '"op"'],
    ['[1]', 400, 'must be a JSON object'],
    ['{"queries": ', 400, 'JSON'],
  ])("%j is refused in Google's words", async (body, status, problem) => {
    const answer = await post(app, FIND, body)
    expect(answer.status).toBe(status)
    const { error } = answer.body as unknown as { error: Record<string, unknown> }
    expect(error).toEqual({
      code: status,
      message: expect.stringContaining(problem),
      status: status === 404 ? 'NOT_FOUND' : 'INVALID_ARGUMENT',
    })
  })
})

describe("Vector Search's other methods", () => {
  test('read, upsert and remove datapoints, which are found at once', async () => {
    const index = await indexOf('dot')
    const app = served(index)
    const datapoint = {
      datapoint_id: 'd',
      feature_vector: [3, 0],
      restricts: [{ namespace: 'color', allow_list: ['green'] }],
      numeric_restricts: [{ namespace: 'size', value_int: '7' }],
      crowding_tag: { crowding_attribute: 'y' },
    }
    expect(await post(app, UPSERT, { datapoints: [datapoint] })).toMatchObject({ status: 200, body: {} })
    expect(ids((await post(app, FIND, query([1, 0]))).body)).toEqual(['d', 'a', 'b', 'c'])
    const wanted = {
      datapointId: 'd',
      featureVector: [3, 0],
      restricts: [{ namespace: 'color', allowList: ['green'] }],
      numericRestricts: [{ namespace: 'size', valueInt: '7' }],
      crowdingTag: { crowdingAttribute: 'y' },
    }
    expect((await post(app, READ, { ids: ['d', 'none'] })).body).toEqual({ datapoints: [wanted] })
    const masked = { datapointId: 'd', restricts: [{ namespace: 'color', denyList: ['red'] }] }
    await post(app, UPSERT, { datapoints: [masked], updateMask: 'allRestricts' })
    const { numericRestricts: _, ...left } = wanted
    expect((await post(app, READ, { ids: ['d'] })).body).toEqual({
      datapoints: [{ ...left, restricts: [{ namespace: 'color', denyList: ['red'] }] }],
    })
    expect(await post(app, REMOVE, { datapointIds: ['d', 'none'] })).toMatchObject({ status: 200, body: {} })
    expect((await post(app, READ, { ids: ['d'] })).body).toEqual({ datapoints: [] })
    expect(index.size).toBe(3)
  })

  test("answer what Google's Python client sends", async () => {
    const app = served(await ItemIndex.of([], { similarity: 'dot', width: 2 }))
    const sent = JSON.parse(new TextDecoder().decode(fixture('client.json'))) as { target: string; body: string }[]
    const answers = []
    for (const { target, body } of sent) answers.push(await post(app, target, body))
    expect(answers.map(({ status }) => status)).toEqual(sent.map(() => 200))
    const [upserted, found, restricted, read, removed] = answers.map(({ body }) => body)
    const laura = {
      datapointId: 'laura',
      featureVector: [0.5, 1],
      restricts: [{ namespace: 'genre', allowList: ['noir'], denyList: ['war'] }],
      numericRestricts: [
        { namespace: 'year', valueInt: '9007199254740993' },
        { namespace: 'rating', valueFloat: 0.1 },
        { namespace: 'share', valueDouble: 0.1 },
      ],
      crowdingTag: { crowdingAttribute: 'preminger' },
    }
    expect(found).toEqual({
      nearestNeighbors: [{ id: 'asked', neighbors: [{ datapoint: laura, distance: 1.5 }] }],
    })
    const { numericRestricts: _, ...left } = laura
    expect(read).toEqual({ datapoints: [{ ...left, restricts: [{ namespace: 'genre', denyList: ['war'] }] }] })
    expect([upserted, restricted, removed]).toEqual([{}, {}, {}])
  })

  test('restrict the datapoint that a request before is still writing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vectorsearch-'))
    const file = join(folder, 'items.index')
    await (await indexOf('dot')).save(file)
    const index = await ItemIndex.open(file)
    const app = served(index)
    const restricts = [{ namespace: 'color', denyList: ['red'] }]
    const answers = await Promise.all([
      post(app, UPSERT, { datapoints: [{ datapointId: 'a', featureVector: [7, 7] }] }),
      post(app, UPSERT, { datapoints: [{ datapointId: 'a', restricts }], updateMask: 'allRestricts' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect((await post(app, READ, { ids: ['a'] })).body).toEqual({
      datapoints: [{ datapointId: 'a', featureVector: [7, 7], restricts }],
    })
    await index.close()
    rmSync(folder, { recursive: true })
  })

  test('say what became of a request where another has written the index since, and the log why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vectorsearch-'))
    const file = join(folder, 'items.index')
    await (await indexOf('dot')).save(file)
    const broke: string[] = []
    const observer = { ...NO_OBSERVER, broke: (error: unknown) => broke.push(String(error)) }
    const app = served(await ItemIndex.open(file), { observer })
    const other = await ItemIndex.open(file)
    await other.remove(['a'])
    await other.close()
    const message =
      'the index could not be written, and nothing of this request is in it; the log of the server says why'
    expect(await post(app, REMOVE, { datapointIds: ['b'] })).toMatchObject({
      status: 503,
      body: { error: { code: 503, message, status: 'UNAVAILABLE' } },
    })
    expect(broke).toEqual([expect.stringContaining('was changed by another since it was opened: open it again')])
    expect((await ItemIndex.open(file)).get('b')).not.toBeNull()
    rmSync(folder, { recursive: true })
  })

  test.each([
    [
      UPSERT,
      { datapoints: [{ datapointId: 'd', featureVector: [1] }] },
      400,
      'has 1 numbers, those of this index have 2',
    ],
    [UPSERT, { datapoints: [{ featureVector: [1, 2] }] }, 400, 'datapoints[0]: a datapoint must have a "datapointId"'],
    [
      UPSERT,
      { datapoints: [{ datapointId: 'z', restricts: [] }], updateMask: 'allRestricts' },
      404,
      'no datapoint "z"',
    ],
    [
      UPSERT,
      { datapoints: [{ datapointId: 'd', featureVector: [1, 2], crowdingTag: 'y' }] },
      400,
      '"crowdingTag" must be a JSON object',
    ],
    [
      UPSERT,
      { datapoints: [{ datapointId: 'd', featureVector: [1, 2], crowdingTag: { crowdingAttribute: 'y', weight: 1 } }] },
      400,
      '"crowdingTag" has no field "weight"',
    ],
    [UPSERT, { datapoints: [], updateMask: 'featureVector' }, 400, '"updateMask" may be "allRestricts"'],
    // Past 2^53 numbers are bigints, which JSON.stringify does not write.
    [UPSERT, '{"datapoints": [], "updateMask": 18446744073709551615}', 400, 'got 18446744073709551615'],
    [
      UPSERT,
      '{"datapoints": [{"datapointId": "d", "featureVector": [1, 2], "numericRestricts": [{"namespace": 18446744073709551615}]}]}',
      400,
      'a numeric restrict must name its namespace, got bigint',
    ],
    [
      FIND,
      '{"queries": [{"datapoint": {"featureVector": [1, 2], "numericRestricts": [{"namespace": "n", "valueInt": 1, "op": 18446744073709551615}]}}]}',
      400,
      'GREATER, NOT_EQUAL; got bigint',
    ],
    [UPSERT, '{"datapoints": [{"datapointId": "d", "featureVector": [1, Infinity]}]}', 400, 'must be finite'],
    [REMOVE, { ids: ['a'] }, 400, 'the request has no field "ids"'],
    [READ, { ids: [1] }, 400, '"ids" must be a list of text'],
    [`${PROJECT}/indexes/2:findNeighbors`, {}, 404, 'there is no'],
    [`${PROJECT}/indexes`, {}, 404, 'there is no'],
    [`${PROJECT}/indexEndpoints/%C2%84:findNeighbors`, {}, 404, 'there is no'],
    ['/v1/projects/./locations/l/indexEndpoints/1:findNeighbors', {}, 404, 'there is no'],
  ])('%s refuses %j', async (path, body, status, problem) => {
    const index = await indexOf('dot')
    const answer = await post(served(index), path, body)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(problem.replaceAll('"', '\\"'))
    expect(index.size).toBe(3)
  })

  test('take POST alone, and the token that the server wants', async () => {
    const index = await indexOf('dot')
    const got = await get(served(index), FIND)
    expect([got.status, got.text]).toEqual([405, expect.stringContaining('takes POST')])
    const { status, body } = await post(served(index, { token: 'secret' }), FIND, query([1, 1]))
    expect([status, body]).toEqual([
      401,
      { error: { code: 401, message: 'a bearer token is wanted', status: 'UNAUTHENTICATED' } },
    ])
  })

  test('are there in v1beta1 too, and only where an index is served', async () => {
    const beta = FIND.replace('/v1/', '/v1beta1/')
    expect((await post(served(await indexOf('dot')), beta, query([1, 1]))).status).toBe(200)
    expect((await post(createApp(new Models([])), FIND, query([1, 1]))).status).toBe(400)
  })

  test('stand in the OpenAPI document, for vectors of the index’s width', async () => {
    const { body } = await get(served(await indexOf('dot')), '/openapi.json')
    const { paths } = body as unknown as { paths: Readonly<Record<string, { post: { requestBody: object } }>> }
    expect(Object.keys(paths).filter((path) => path.includes(':'))).toHaveLength(8)
    const [upsert] = Object.keys(paths).filter((path) => path.endsWith(':upsertDatapoints'))
    const { requestBody } = paths[upsert].post
    expect(requestBody).toMatchObject({ required: false })
    expect(JSON.stringify(requestBody)).toContain('"minItems":2,"maxItems":2')
  })

  test('are where the OpenAPI document says', async () => {
    const app = served(await indexOf('dot'))
    const { paths } = (await get(app, '/openapi.json')).body as unknown as { paths: Readonly<Record<string, object>> }
    const own = Object.keys(paths).filter((path) => path.includes('/projects/'))
    expect(own).toHaveLength(8)
    for (const path of own) {
      const { status } = await post(app, path.replaceAll(/[{}]/g, ''), {})
      expect({ path, status }).toEqual({ path, status: 200 })
    }
  })

  test('take what the document says that they take: nothing, null for what is not set, integers as text', async () => {
    const app = served(await indexOf('dot'))
    const vector = { featureVector: [1, 1], restricts: null, datapointId: null }
    const restrict = { namespace: 'n', allowList: null, denyList: [] }
    for (const body of [
      '',
      { deployedIndexId: null, queries: null },
      { queries: [{ datapoint: vector, neighborCount: '2', fractionLeafNodesToSearchOverride: null }] },
      { queries: [{ datapoint: { ...vector, restricts: [restrict], numericRestricts: [] } }] },
      { queries: [{ datapoint: { ...vector, numericRestricts: [{ namespace: 'n', valueInt: '1', op: 6 }] } }] },
    ])
      expect({ asked: body, ...(await post(app, FIND, body)) }).toMatchObject({ status: 200 })
    expect((await post(app, FIND, { deployedIndexId: 5 })).text).toContain('\\"deployedIndexId\\" must be text')
  })
})
