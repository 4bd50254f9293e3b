import { INT64, integer, list, type Part, record, text } from './schemas.ts'
import { MOST_NEIGHBORS } from './towers.ts'

// The messages of Vector Search's interface, and its methods.

const number: Part = { type: 'number' }
/** The least that rounds to infinity in a float32. */
const TOO_LARGE = (2 - 2 ** -24) * 2 ** 127
const NAME: Part = { type: 'string', minLength: 1 }
const WHOLE: Part = { anyOf: [{ type: 'string', pattern: '^-?[0-9]{1,18}$' }, INT64] }
const VECTOR = list(number, { minItems: 1 })

const RESTRICT = record({ namespace: NAME, allowList: list(text), denyList: list(text) }, ['namespace'], false)
const TYPED: readonly (readonly [string, Part])[] = [
  ['valueInt', WHOLE],
  ['valueFloat', { type: 'number', exclusiveMinimum: -TOO_LARGE, exclusiveMaximum: TOO_LARGE }],
  ['valueDouble', number],
]
const OPERATOR: Part = { enum: ['LESS', 'LESS_EQUAL', 'EQUAL', 'GREATER_EQUAL', 'GREATER', 'NOT_EQUAL'] }
const NUMBER: Part = {
  anyOf: TYPED.map(([name, value]) => record({ namespace: NAME, [name]: value }, ['namespace', name], false)),
}
const CONDITION: Part = {
  anyOf: TYPED.map(([name, value]) =>
    record({ namespace: NAME, [name]: value, op: OPERATOR }, ['namespace', name, 'op'], false),
  ),
}
const CROWDING_TAG = record({ crowdingAttribute: text }, ['crowdingAttribute'], false)

const DATAPOINT = record(
  {
    datapointId: NAME,
    featureVector: VECTOR,
    restricts: list(RESTRICT),
    numericRestricts: list(NUMBER),
    crowdingTag: CROWDING_TAG,
  },
  ['datapointId'],
  false,
)
const QUERY = record(
  {
    datapoint: record(
      { datapointId: text, featureVector: VECTOR, restricts: list(RESTRICT), numericRestricts: list(CONDITION) },
      [],
      false,
    ),
    neighborCount: integer(0, MOST_NEIGHBORS),
    perCrowdingAttributeNeighborCount: integer(0, 2 ** 31 - 1),
    approximateNeighborCount: integer(0, 2 ** 31 - 1),
    fractionLeafNodesToSearchOverride: { type: 'number', minimum: 0, maximum: 1 },
  },
  ['datapoint'],
  false,
)
const NEIGHBOR = record({ datapoint: DATAPOINT, distance: { anyOf: [number, text] } }, ['datapoint', 'distance'], false)
const EMPTY = record({}, [], false)

/** Rows of a catalogue may have numbers for ids. */
const ID: Part = { type: ['string', 'number'] }

/** What a search of the towers may say of the items that it may find. */
export const RESTRICTS: Readonly<Record<string, Part>> = {
  restricts: list(record({ namespace: NAME, allow: list(text), deny: list(text) }, ['namespace'], false)),
  numericRestricts: list(CONDITION),
  include: list(ID),
  exclude: list(ID),
  perCrowdingAttributeNeighborCount: integer(0, 2 ** 31 - 1),
}

/** Of each method: of what kind of resource, its name, its summary, request and response. */
export const METHODS: readonly (readonly ['indexEndpoint' | 'index', string, string, Part, Part])[] = [
  [
    'indexEndpoint',
    'findNeighbors',
    'the nearest datapoints of each query, as Vector Search answers',
    record({ deployedIndexId: text, queries: list(QUERY), returnFullDatapoint: { type: 'boolean' } }, [], false),
    record(
      { nearestNeighbors: list(record({ id: text, neighbors: list(NEIGHBOR) }, ['id', 'neighbors'], false)) },
      ['nearestNeighbors'],
      false,
    ),
  ],
  [
    'indexEndpoint',
    'readIndexDatapoints',
    'datapoints by their ids',
    record({ deployedIndexId: text, ids: list(text) }, [], false),
    record({ datapoints: list(DATAPOINT) }, ['datapoints'], false),
  ],
  [
    'index',
    'upsertDatapoints',
    'put datapoints in, or with a mask their restricts',
    record({ datapoints: list(DATAPOINT), updateMask: { enum: ['', 'allRestricts'] } }, [], false),
    EMPTY,
  ],
  ['index', 'removeDatapoints', 'take datapoints out', record({ datapointIds: list(text) }, [], false), EMPTY],
]

export const GOOGLE_ERROR = record(
  { error: record({ code: integer(400, 599), message: text, status: text }, ['code', 'message', 'status'], false) },
  ['error'],
  false,
)
