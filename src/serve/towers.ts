import type { Json } from '../json/parse.ts'
import { float32Text, withPoint } from '../json/text.ts'
import { floatList } from '../json/utf8.ts'
import { filterIn } from '../search/filterjson.ts'
import { jsonOf } from './body.ts'
import type { Models, Version } from './models.ts'
import { count } from './protojson.ts'
import { Refusal } from './refusal.ts'
import { columnsOf, type Row } from './rows.ts'
import { scoresOf } from './sides.ts'
import type { Turn } from './turn.ts'
import { isMembers, type Members, vectorOf } from './values.ts'
import { openInstance } from './vertex.ts'

/** What can be asked of the two towers, by path. */
export const TOWER_PATHS = {
  '/v1/towers/query:embed': (models, turn) => embed(models, 'query', turn),
  '/v1/towers/candidate:embed': (models, turn) => embed(models, 'candidate', turn),
  '/v1/towers:score': score,
  '/v1/towers:search': search,
} as const satisfies Readonly<Record<string, (models: Models, turn: Turn) => Promise<string>>>

type Side = 'query' | 'candidate'

/** Items that a search gives where it is not asked for a number, and at most. */
const USUAL = 10
export const MOST_NEIGHBORS = 10_000
const CROWDS = ['per_crowding_attribute_neighbor_count', 'perCrowdingAttributeNeighborCount']

/** The body and the version that it is about: of the model that it names, or of the first. */
async function open(models: Models, turn: Turn): Promise<{ readonly body: Members; readonly version: Version }> {
  const body = jsonOf(await turn.bytes())
  if (!isMembers(body)) throw new TypeError('the request must be a JSON object')
  const { model: name = firstOf(models) } = body
  if (typeof name !== 'string') throw new TypeError('"model" must be the name of a model')
  return { body, version: models.find(name) }
}

/** The name of the first model. @throws {Refusal} where an index is served alone */
export function firstOf({ all }: Models): string {
  if (all.length === 0) throw new Refusal(404, 'the server has no model')
  return all[0].name
}

/** `{"instances": […]}` to `{"embeddings": [[…], …]}`. */
async function embed(models: Models, side: Side, turn: Turn): Promise<string> {
  const { body, version } = await open(models, turn)
  const { instances } = body
  if (!Array.isArray(instances) || instances.length === 0)
    throw new TypeError('the request must be {"instances": […]}, with a row of features at least')
  const features = featuresOf(version, side, instances)
  turn.decoded()
  return turn.run(version.tower(side), features, ({ embedding }) => {
    const { shape, data } = embedding
    const rows = Array.from({ length: shape[0] }, (_, row) =>
      floatsText((data as Float32Array).subarray(row * shape[1], (row + 1) * shape[1])),
    )
    return `{"embeddings": [${rows.join(', ')}]}`
  })
}

/** `{"query": …, "candidate": …}` to `{"score": …}`, with `candidates` to `{"scores": […]}`; a side is features or an embedding. */
async function score(models: Models, turn: Turn): Promise<string> {
  const { body, version } = await open(models, turn)
  const { query, candidate, candidates } = body
  if (query === undefined || (candidate === undefined) === (candidates === undefined))
    throw new TypeError('the request must be {"query": …, "candidate": …} or {"query": …, "candidates": […]}')
  if (candidates !== undefined && (!Array.isArray(candidates) || candidates.length === 0))
    throw new TypeError('"candidates" must be a list of one at least')
  const { model } = version
  const rows = (candidates as readonly Json[] | undefined) ?? [candidate as Json]
  turn.decoded()
  const scores = turn.stage('run', () => scoresOf(model, query, rows))
  return turn.stage('encode', () => {
    const text = floatsText(scores)
    return candidates === undefined ? `{"score": ${text.slice(1, -1)}}` : `{"scores": ${text}}`
  })
}

/**
 * `{"query": …, "k": 10}` to `{"neighbors": [{"id", "score"}, …]}`, the best first. `restricts`, `numeric_restricts`,
 * `include` and `exclude` say which items may be found, `per_crowding_attribute_neighbor_count` how many of one tag.
 */
async function search(models: Models, turn: Turn): Promise<string> {
  const { body, version } = await open(models, turn)
  const { query, k = USUAL } = body
  const { index } = version
  if (index === null) throw new Refusal(404, 'the server has no items to search: start it with --items or --index')
  if (typeof k !== 'number' || !Number.isInteger(k) || k < 1 || k > MOST_NEIGHBORS)
    throw new RangeError(`"k" must be an integer from 1 to ${MOST_NEIGHBORS}`)
  if (query === undefined) throw new TypeError('the request must be {"query": …, "k": …}')
  const perCrowdingTag = CROWDS.map((name) => count(name, body[name])).find((most) => most !== undefined)
  const wanted = { k, filter: filterIn(body), ...(perCrowdingTag !== undefined && { perCrowdingTag }) }
  const vector = Array.isArray(query) ? vectorOf(query) : await embedded(version, query, turn)
  const wrong = vector.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0)
    throw new RangeError(`number ${wrong} of the query's embedding is ${vector[wrong]}, it must be finite`)
  const { ids, scores } = turn.stage('search', () => index.search(vector, wanted))
  return turn.stage('encode', () => {
    const found = ids.map((id, i) => `{"id": ${JSON.stringify(id)}, "score": ${decimal(scores[i])}}`)
    return `{"neighbors": [${found.join(', ')}]}`
  })
}

/** Unlike TensorFlow Serving's, these answers are JSON that every reader takes: what is not finite is null there. */
const decimal = (value: number): string => (Number.isFinite(value) ? withPoint(float32Text(value)) : 'null')
const floatsText = (values: Float32Array): string =>
  values.every(Number.isFinite) ? floatList(values, true) : `[${Array.from(values, decimal).join(', ')}]`

async function embedded(version: Version, query: Json, turn: Turn): Promise<Float32Array> {
  const features = featuresOf(version, 'query', [query])
  turn.decoded()
  return turn.run(version.tower('query'), features, ({ embedding }) => (embedding.data as Float32Array).slice())
}

function featuresOf(version: Version, side: Side, instances: readonly Json[]) {
  const { features } = version.model[side]
  const names = features.map((port) => port.name)
  const rows: Row[] = instances.map((instance, i) => {
    if (!isMembers(instance)) throw new TypeError(`instance ${i} must be an object of features`)
    return openInstance(instance, names).features
  })
  return columnsOf(rows, features)
}
