import { measure } from '../engine/similarity.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { float32Text, jsonText } from '../json/text.ts'
import type { Datapoint, Filter, SearchOptions } from '../search/datapoint.ts'
import { attributesIn, filterIn } from '../search/filterjson.ts'
import type { ItemIndex } from '../search/itemindex.ts'
import { textOf } from './body.ts'
import { datapointText } from './indexdatapoint.ts'
import { boolean, checkText, count, fraction, list, message, opened, strings } from './protojson.ts'
import { Refusal, wrongMethod } from './refusal.ts'
import { MOST_NEIGHBORS } from './towers.ts'
import type { Turn } from './turn.ts'
import { isMembers, type Members, vectorOf } from './values.ts'

// Vertex AI Vector Search's REST interface over one index, whatever project, location and resource a path names: google.
// cloud.aiplatform.v1's match_service.proto (FindNeighbors, ReadIndexDatapoints) and index_service.proto (UpsertDatapoints,
// RemoveDatapoints), in protobuf's JSON.

/** Neighbors of a query that does not say how many it wants. */
const USUAL = 10

type Method = (index: ItemIndex, request: Members, turn: Turn) => string | Promise<string>

const METHODS: Readonly<Record<string, Method>> = {
  'indexEndpoints:findNeighbors': findNeighbors,
  'indexEndpoints:readIndexDatapoints': readIndexDatapoints,
  'indexes:upsertDatapoints': upsertDatapoints,
  'indexes:removeDatapoints': removeDatapoints,
}

/** Projects may be of a domain: `example.com:project`. */
const PATH = /^\/(?:v1|v1beta1)\/projects\/\w[\w.:-]*\/locations\/[\w-]+\/(indexEndpoints|indexes)\/[\w-]+:([A-Za-z]+)$/

/**
 * Answers `path`, as it was sent.
 * @throws {Refusal} 404 for a path that is none of the interface's, 405 for another method than POST
 */
export async function answerVectorSearch(index: ItemIndex, verb: string, path: string, turn: Turn): Promise<string> {
  const [, collection, name] = PATH.exec(path.replace(/%3a/gi, ':')) ?? []
  const method = collection === undefined ? undefined : METHODS[`${collection}:${name}`]
  if (method === undefined)
    throw new Refusal(404, `there is no ${path}; of Vector Search there are ${Object.keys(METHODS).join(', ')}`)
  if (verb !== 'POST') throw wrongMethod(`${path} takes POST, not ${verb}`, ['POST'])
  const request = parseJson(textOf(await turn.bytes()) || '{}')
  if (!isMembers(request)) throw new TypeError('the request must be a JSON object')
  return method(index, request, turn)
}

interface Asked {
  readonly id: string
  readonly vector: Float32Array
  readonly wanted: SearchOptions
}

function findNeighbors(index: ItemIndex, request: Members, turn: Turn): string {
  const known = ['indexEndpoint', 'deployedIndexId', 'queries', 'returnFullDatapoint']
  const { queries, returnFullDatapoint, deployedIndexId } = message('the request', request, known)
  checkText('deployedIndexId', deployedIndexId)
  const full = boolean('returnFullDatapoint', returnFullDatapoint)
  const asked = list('queries', queries).map((query, i) => named(`queries[${i}]`, () => askedBy(index, query)))
  turn.decoded()
  const found = turn.stage('search', () =>
    index.searchMany(
      asked.map(({ vector }) => vector),
      asked.map(({ wanted }) => wanted),
    ),
  )
  return turn.stage('encode', () => {
    const nearest = asked.map(({ id, vector }, i) => {
      const neighbors = found[i].ids.map((neighbor) => {
        const item = index.get(neighbor) as Datapoint
        return `{"datapoint": ${datapointText(item, full)}, "distance": ${distanceText(index, vector, item)}}`
      })
      return `{"id": ${JSON.stringify(id)}, "neighbors": [${neighbors.join(', ')}]}`
    })
    return `{"nearestNeighbors": [${nearest.join(', ')}]}`
  })
}

const QUERY = [
  'datapoint',
  'neighborCount',
  'perCrowdingAttributeNeighborCount',
  'approximateNeighborCount',
  'fractionLeafNodesToSearchOverride',
  'rrf',
]

function askedBy(index: ItemIndex, json: Json): Asked {
  const query = message('a query', opened('a query', json), QUERY)
  if (query.rrf !== undefined) throw new RangeError('"rrf" ranks with sparse embeddings, which are not searched here')
  const datapoint = point(query.datapoint)
  const { id, vector } = vectorIn(index, datapoint)
  const k = count('neighborCount', query.neighborCount) ?? USUAL
  if (k > MOST_NEIGHBORS) throw new RangeError(`"neighborCount" must be at most ${MOST_NEIGHBORS}, got ${k}`)
  const perCrowdingTag = count('perCrowdingAttributeNeighborCount', query.perCrowdingAttributeNeighborCount)
  const approximateNeighborCount = count('approximateNeighborCount', query.approximateNeighborCount)
  const share = fraction('fractionLeafNodesToSearchOverride', query.fractionLeafNodesToSearchOverride)
  const approximate = {
    ...(approximateNeighborCount !== undefined && { approximateNeighborCount }),
    ...(share !== undefined && { fractionLeafNodesToSearchOverride: share }),
  }
  const options = { k, filter: filterOf(datapoint), approximate }
  return { id, vector, wanted: perCrowdingTag === undefined ? options : { ...options, perCrowdingTag } }
}

/** Its vector, or where it has none that of the item of its id. */
function vectorIn(
  index: ItemIndex,
  { datapointId = '', featureVector }: Members,
): { id: string; vector: Float32Array } {
  if (typeof datapointId !== 'string') throw new TypeError('"datapointId" must be text')
  if (featureVector !== undefined && list('featureVector', featureVector).length > 0)
    return { id: datapointId, vector: finite(vectorOf(featureVector)) }
  if (datapointId === '')
    throw new TypeError('the datapoint must have a "featureVector", or the "datapointId" of an item')
  const item = index.get(datapointId)
  if (item === null) throw new Refusal(404, `there is no datapoint ${JSON.stringify(datapointId)} in the index`)
  return { id: datapointId, vector: item.embedding }
}

function finite(vector: Float32Array): Float32Array {
  const wrong = vector.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw new RangeError(`"featureVector" holds ${vector[wrong]} at ${wrong}; it must be finite`)
  return vector
}

/** Enumerations come by name or, from Google's Python client, by number. */
const OPERATORS = ['OPERATOR_UNSPECIFIED', 'LESS', 'LESS_EQUAL', 'EQUAL', 'GREATER_EQUAL', 'GREATER', 'NOT_EQUAL']

function filterOf({ restricts, numericRestricts }: Members): Filter {
  const conditions = list('numericRestricts', numericRestricts).map((json) => {
    if (!isMembers(json)) return json
    return typeof json.op === 'number' ? { ...json, op: OPERATORS[json.op] ?? json.op } : json
  })
  return filterIn({ restricts: list('restricts', restricts), numericRestricts: conditions })
}

/**
 * As the index's distance measure has it: DOT_PRODUCT_DISTANCE gives the dot product itself, the nearest the largest;
 * COSINE_DISTANCE 1 − cosine and SQUARED_L2_DISTANCE the square, the nearest the smallest.
 */
function distanceText(index: ItemIndex, query: Float32Array, { embedding }: Datapoint): string {
  const { metric } = index.similarity
  const value = measure(query, 0, embedding, 0, query.length, metric)
  const distance = metric === 'dot' ? value : metric === 'cosine' ? 1 - value : value * value
  const rounded = Math.fround(distance)
  // protobuf's JSON has what is not finite as text.
  return Number.isFinite(rounded) ? float32Text(rounded) : JSON.stringify(String(rounded))
}

/** Datapoints of ids that are not there are left out. */
function readIndexDatapoints(index: ItemIndex, request: Members, turn: Turn): string {
  const { ids, deployedIndexId } = message('the request', request, ['indexEndpoint', 'deployedIndexId', 'ids'])
  checkText('deployedIndexId', deployedIndexId)
  const wanted = strings('ids', ids)
  turn.decoded()
  return turn.stage('encode', () => {
    const found = wanted.map((id) => index.get(id)).filter((item) => item !== null)
    return `{"datapoints": [${found.map((item) => datapointText(item, true)).join(', ')}]}`
  })
}

async function upsertDatapoints(index: ItemIndex, request: Members, turn: Turn): Promise<string> {
  const { datapoints, updateMask } = message('the request', request, ['index', 'datapoints', 'updateMask'])
  const restrictsOnly = masked(updateMask)
  const given = list('datapoints', datapoints)
  const each = (of: (datapoint: Members) => Datapoint): Datapoint[] =>
    given.map((json, i) => named(`datapoints[${i}]`, () => of(point(json))))
  turn.decoded()
  // What a restriction leaves as it is, it finds only once it is its turn.
  const whole = restrictsOnly ? null : each(itemOf)
  await inTurn(index, () => index.upsert(whole ?? each((datapoint) => restricted(index, datapoint))))
  return '{}'
}

/** Whether the mask names restricts alone, the one part that can be put in place of what was there. */
function masked(json: Json | undefined): boolean {
  if (json === undefined || json === '') return false
  if (json === 'allRestricts' || json === 'all_restricts') return true
  throw new RangeError(`"updateMask" may be "allRestricts", got ${jsonText(json)}`)
}

function itemOf(datapoint: Members): Datapoint {
  const id = idOf(datapoint)
  const embedding = finite(vectorOf(list('featureVector', datapoint.featureVector)))
  return { id, embedding, ...attributes(datapoint, ['restricts', 'numericRestricts', 'crowdingTag']) }
}

/** The item of the id with other restricts. */
function restricted(index: ItemIndex, datapoint: Members): Datapoint {
  const id = idOf(datapoint)
  const item = index.get(id)
  if (item === null) throw new Refusal(404, `there is no datapoint ${JSON.stringify(id)} to restrict`)
  const { embedding, crowdingTag } = item
  return {
    id,
    embedding,
    ...(crowdingTag !== undefined && { crowdingTag }),
    ...attributes(datapoint, ['restricts', 'numericRestricts']),
  }
}

function attributes(datapoint: Members, names: readonly string[]): Omit<Datapoint, 'id' | 'embedding'> {
  return attributesIn(Object.fromEntries(Object.entries(datapoint).filter(([name]) => names.includes(name))))
}

function idOf({ datapointId }: Members): string {
  if (typeof datapointId === 'string' && datapointId !== '') return datapointId
  throw new TypeError('a datapoint must have a "datapointId", text that is not empty')
}

async function removeDatapoints(index: ItemIndex, request: Members, turn: Turn): Promise<string> {
  const { datapointIds } = message('the request', request, ['index', 'datapointIds'])
  const ids = strings('datapointIds', datapointIds)
  turn.decoded()
  await inTurn(index, () => index.remove(ids))
  return '{}'
}

const POINT = [
  'datapointId',
  'featureVector',
  'sparseEmbedding',
  'restricts',
  'numericRestricts',
  'crowdingTag',
  'embeddingMetadata',
]

/** The members of an IndexDatapoint. */
function point(json: Json | undefined): Members {
  const datapoint = message('the datapoint', opened('"datapoint"', json ?? {}), POINT)
  if (datapoint.sparseEmbedding !== undefined)
    throw new RangeError('"sparseEmbedding" is not searched here, only dense vectors are')
  // Bare text, as in files, is no message.
  const { crowdingTag } = datapoint
  if (crowdingTag !== undefined) message('"crowdingTag"', opened('"crowdingTag"', crowdingTag), ['crowdingAttribute'])
  return datapoint
}

/** What `work` gives; what it throws says of what. */
function named<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const message = `${name}: ${(error as Error).message}`
    if (error instanceof Refusal) throw new Refusal(error.status, message)
    throw error instanceof TypeError || error instanceof RangeError ? new RangeError(message) : error
  }
}

const changes = new WeakMap<ItemIndex, Promise<unknown>>()

/**
 * Changes of an index are made one after the other; each sees what the ones before have left.
 * @throws {Refusal} 503 where the disk is full, or another process has written the index
 */
async function inTurn(index: ItemIndex, change: () => Promise<unknown>): Promise<void> {
  const next = (changes.get(index) ?? Promise.resolve()).then(change)
  changes.set(
    index,
    next.catch(() => {}),
  )
  try {
    await next
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof Refusal) throw error
    const words = 'the index could not be written, and nothing of this request is in it; the log of the server says why'
    throw new Refusal(503, words, {}, error)
  }
}
