import type { Model, SignatureInfo } from '../engine/model.ts'
import type { Port } from '../graph/index.ts'
import type { ItemIndex } from '../search/itemindex.ts'
import { VERSION } from '../version.ts'
import type { Models, ServedModel } from './models.ts'
import {
  anyOf,
  anything,
  BASE64,
  byName,
  FLOAT,
  featureOf,
  integer,
  list,
  MOST_INT64,
  needed,
  oneRow,
  type Part,
  record,
  rowOf,
  text,
  whole,
} from './schemas.ts'
import { MOST_NEIGHBORS, type TOWER_PATHS } from './towers.ts'
import { GOOGLE_ERROR, methods, RESTRICTS } from './vectorsearchschemas.ts'

// The interfaces as OpenAPI 3.1, of the models that are served now: their signatures are the schemas.

/** Whether a signature can be asked row by row: a scalar is not one row an instance. */
const answersRows = ({ outputs }: SignatureInfo): boolean => outputs.every(({ shape }) => shape?.length !== 0)

/** Bodies of predict, one or two a signature. */
function predictBody(model: Model): Part {
  return anyOf(
    model.signatures.flatMap((signature) => {
      const { name } = signature
      const ports = model.rawInputs(name)
      const named = { signature_name: { const: name } }
      const required = name === 'serving_default' ? [] : ['signature_name']
      // That all columns have as many rows a schema cannot say: of several it describes those of one row.
      const columns = record(byName(ports, ports.length === 1 ? whole : oneRow), needed(ports), true)
      const rows = record(byName(ports, rowOf), needed(ports), false)
      const inputs = ports.length === 1 ? { anyOf: [columns, whole(ports[0])] } : columns
      const some = { minItems: 1 }
      const instances = anyOf([list(rows, some), ...(ports.length === 1 ? [list(rowOf(ports[0]), some)] : [])])
      return [
        record({ ...named, inputs, instances: false }, [...required, 'inputs'], true),
        ...(answersRows(signature)
          ? [record({ ...named, instances, inputs: false }, [...required, 'instances'], true)]
          : []),
      ]
    }),
  )
}

const EXAMPLE: Part = {
  type: 'object',
  additionalProperties: {
    anyOf: [
      text,
      { type: 'number' },
      { type: 'boolean' },
      BASE64,
      list(text),
      list({ type: 'boolean' }),
      list(BASE64),
      list({ type: 'number' }),
    ],
  },
}
const examineBody = (signatures: readonly string[]): Part =>
  record(
    { signature_name: { enum: signatures }, context: EXAMPLE, examples: list(EXAMPLE, { minItems: 1 }) },
    signatures.includes('serving_default') ? ['examples'] : ['signature_name', 'examples'],
    true,
  )

/** The signatures that classify or regress can ask: from serialized examples to what is known by its name. */
const examining = (model: Model, outputs: readonly string[]): string[] =>
  model.signatures
    .filter(({ inputs }) => inputs.length === 1 && inputs[0].name === 'inputs' && inputs[0].dtype === 'string')
    .filter((signature) => signature.outputs.every(({ name }) => outputs.includes(name)))
    .map(({ name }) => name)

/** A JSON body. */
const json = (schema: Part, description: string): Part => ({
  description,
  content: { 'application/json': { schema } },
})

const FAILURES: Readonly<Record<string, string>> = {
  400: 'the request is wrong, or the model refuses its values',
  401: 'a bearer token is wanted',
  404: 'there is no such model, version, tower or index',
  405: 'another method is wanted',
  413: 'the body is too large',
  415: 'the body’s encoding is not known',
  429: 'too many requests are waiting',
  500: 'the server is broken',
  501: 'the model needs an op that twotower lacks',
  504: 'the request waited too long',
}

const failures = (schema = 'Error'): Readonly<Record<string, Part>> =>
  Object.fromEntries(
    Object.entries(FAILURES).map(([status, description]) => [
      status,
      json({ $ref: `#/components/schemas/${schema}` }, description),
    ]),
  )

const post = (
  summary: string,
  body: Part,
  answer: Part,
  parameters: readonly Part[] = [],
  failure?: 'GoogleError',
): Part => ({
  post: {
    summary,
    parameters,
    // Of protobuf's messages, the empty one is no body.
    requestBody: { required: failure === undefined, content: { 'application/json': { schema: body } } },
    responses: { 200: json(answer, 'the answer'), ...failures(failure) },
  },
})
const get = (summary: string, answer: Part, parameters: readonly Part[] = []): Part => ({
  get: { summary, parameters, responses: { 200: json(answer, 'the answer'), ...failures() } },
})

/** JSON that holds NaN and infinities bare is not described by a schema: numbers stand for them. */
const PREDICTIONS = record({ predictions: list(anything) }, ['predictions'], false)
const OUTPUTS = record({ outputs: anything }, ['outputs'], false)
const RESULTS = record({ results: list(anything) }, ['results'], false)
const FLOATS = list(FLOAT)
/** What the towers answer: null stands for what is not finite. */
const ANSWER = { type: ['number', 'null'] }

const STATUS = record(
  {
    model_version_status: list(
      record(
        {
          version: text,
          state: { enum: ['LOADING', 'AVAILABLE', 'UNLOADING', 'END'] },
          status: record({ error_code: text, error_message: text }, ['error_code', 'error_message'], false),
        },
        ['version', 'state', 'status'],
        false,
      ),
    ),
  },
  ['model_version_status'],
  false,
)
const METADATA = record(
  { model_spec: { type: 'object' }, metadata: { type: 'object' } },
  ['model_spec', 'metadata'],
  false,
)
const VERSION_PARAMETER: Part = {
  name: 'version',
  in: 'path',
  required: true,
  schema: integer(0, MOST_INT64),
}

function modelPaths({ name, latest }: ServedModel): Readonly<Record<string, Part>> {
  if (latest === null) return {}
  const { model } = latest
  const path = `/v1/models/${encodeURIComponent(name)}`
  const [classify, regress] = [examining(model, ['classes', 'scores']), examining(model, ['outputs'])]
  const asked = (at: string, parameters: readonly Part[]) => ({
    [at]: get('the state of the versions', STATUS, parameters),
    [`${at}/metadata`]: get('the signatures', METADATA, parameters),
    [`${at}:predict`]: post('run a signature', predictBody(model), { anyOf: [PREDICTIONS, OUTPUTS] }, parameters),
    ...(classify.length === 0
      ? {}
      : { [`${at}:classify`]: post('labels and scores of examples', examineBody(classify), RESULTS, parameters) }),
    ...(regress.length === 0
      ? {}
      : { [`${at}:regress`]: post('a value an example', examineBody(regress), RESULTS, parameters) }),
  })
  return { ...asked(path, []), ...asked(`${path}/versions/{version}`, [VERSION_PARAMETER]) }
}

/** A row of features for a side, or of two-tower models in Vertex's form. */
const featuresBody = (ports: readonly Port[]): Part => record(byName(ports, featureOf), needed(ports), true)

function towerPaths(models: Models): Readonly<Record<string, Part>> {
  const [first] = models.all
  const version = first?.latest
  if (!version) return {}
  const { model } = version
  const named = { model: { const: first.name } }
  const has = (side: 'query' | 'candidate') => model.structure[side] !== null
  const features = (side: 'query' | 'candidate') => featuresBody(model[side].features)
  const width = (side: 'query' | 'candidate'): Part => {
    const size = model.structure[side]?.output.shape?.at(-1)
    return size === null || size === undefined ? FLOATS : { ...FLOATS, minItems: size, maxItems: size }
  }
  const either = (side: 'query' | 'candidate'): Part => ({ anyOf: [features(side), width(side)] })
  const paths: [keyof typeof TOWER_PATHS, Part][] = []
  for (const side of ['query', 'candidate'] as const) {
    if (!has(side)) continue
    const body = record({ ...named, instances: list(features(side), { minItems: 1 }) }, ['instances'], true)
    const answer = record({ embeddings: list({ ...width(side), items: ANSWER }) }, ['embeddings'], false)
    paths.push([`/v1/towers/${side}:embed`, post(`embeddings by the ${side} tower`, body, answer)])
  }
  if (has('query') && has('candidate') && model.similarity !== null) {
    const [query, candidate] = [either('query'), either('candidate')]
    const one = record({ ...named, query, candidate, candidates: false }, ['query', 'candidate'], true)
    const many = record(
      {
        ...named,
        query,
        candidate: false,
        candidates: anyOf([list(features('candidate'), { minItems: 1 }), list(width('candidate'), { minItems: 1 })]),
      },
      ['query', 'candidates'],
      true,
    )
    const score = record({ score: ANSWER }, ['score'], false)
    const scores = record({ scores: list(ANSWER) }, ['scores'], false)
    paths.push([
      '/v1/towers:score',
      post('how near candidates are to a query', { anyOf: [one, many] }, { anyOf: [score, scores] }),
    ])
  }
  if (version.index !== null) {
    const body = record(
      { ...named, query: has('query') ? either('query') : FLOATS, k: integer(1, MOST_NEIGHBORS), ...RESTRICTS },
      ['query'],
      true,
    )
    const neighbor = record({ id: text, score: ANSWER }, ['id', 'score'], false)
    paths.push([
      '/v1/towers:search',
      post('the nearest items', body, record({ neighbors: list(neighbor) }, ['neighbors'], false)),
    ])
  }
  return Object.fromEntries(paths)
}

/** @param others what else is asked for at that path */
function vertexPath(models: Models, path: string, others: Part): Part {
  const model = models.all[0]?.latest?.model
  if (model === undefined) return {}
  const bodies = model.signatures.filter(answersRows).map(({ name }) => {
    const ports = model.rawInputs(name)
    const rows = record(byName(ports, rowOf), needed(ports), false)
    const some = { minItems: 1 }
    const instances = anyOf([list(rows, some), ...(ports.length === 1 ? [list(rowOf(ports[0]), some)] : [])])
    const parameters = record(
      { signature_name: { const: name } },
      name === 'serving_default' ? [] : ['signature_name'],
      true,
    )
    return name === 'serving_default'
      ? record({ instances, parameters: anyOf([parameters, { type: 'null' }]) }, ['instances'], true)
      : record({ instances, parameters }, ['instances', 'parameters'], true)
  })
  if (bodies.length === 0) return {}
  const asked = post(
    'predictions, as Vertex AI asks for them; an instance may also be {"data": JSON text of the features, "key": …}',
    anyOf(bodies),
    PREDICTIONS,
  )
  return { [path]: { ...others, ...asked } }
}

/** What a resource's name stands below in a path. */
const COLLECTIONS = { index: 'indexes', indexEndpoint: 'indexEndpoints' } as const

/** Vector Search's methods, in protobuf's JSON: their names in lowerCamelCase, though snake_case is taken too. */
function vectorSearchPaths({ width }: ItemIndex): Readonly<Record<string, Part>> {
  const parameters = (resource: string) =>
    ['project', 'location', resource].map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', pattern: name === 'project' ? '^[A-Za-z0-9_][A-Za-z0-9_.:-]*$' : '^[A-Za-z0-9_-]+$' },
    }))
  return Object.fromEntries(
    ['v1', 'v1beta1'].flatMap((version) =>
      methods(width).map(([resource, name, summary, body, answer]) => [
        `/${version}/projects/{project}/locations/{location}/${COLLECTIONS[resource]}/{${resource}}:${name}`,
        post(summary, body, answer, parameters(resource), 'GoogleError'),
      ]),
    ),
  )
}

/** The document. @param routes where health and predictions are asked for @param secured whether a token is wanted */
export function openapi(
  models: Models,
  routes: { readonly health: string; readonly predict: string },
  secured: boolean,
  index?: ItemIndex,
): Part {
  const health = {
    get: {
      summary: 'whether requests are welcome',
      security: [],
      responses: {
        200: json(record({ status: text }, ['status'], false), 'all models are loaded'),
        503: json({ $ref: '#/components/schemas/Error' }, 'they are not, or the server is about to leave'),
      },
    },
  }
  return {
    openapi: '3.1.0',
    info: { title: 'twotower', version: VERSION, description: 'Two-tower models over HTTP: docs/serve.md.' },
    paths: {
      [routes.health]: health,
      // Vertex AI may ask for both at one path.
      ...vertexPath(models, routes.predict, routes.predict === routes.health ? health : {}),
      ...towerPaths(models),
      ...(index === undefined ? {} : vectorSearchPaths(index)),
      ...Object.assign({}, ...models.all.map(modelPaths)),
    },
    components: {
      schemas: {
        Error: record({ error: text }, ['error'], false),
        ...(index === undefined ? {} : { GoogleError: GOOGLE_ERROR }),
      },
      ...(secured ? { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } : {}),
    },
    ...(secured ? { security: [{ token: [] }] } : {}),
  }
}
