import { FLOAT, INT64, integer, list, type Part, record, text } from './schemas.ts'
import { MOST_NEIGHBORS } from './towers.ts'

// The messages of Vector Search's interface, and its methods. In protobuf's JSON a field that is not set may be null, and
// an integer may be text.

const number: Part = { type: 'number' }
/** The least that rounds to infinity in a float32. */
const TOO_LARGE = (2 - 2 ** -24) * 2 ** 127
const NAME: Part = { type: 'string', minLength: 1 }
const NULL: Part = { type: 'null' }
const orNull = (part: Part): Part => ({ anyOf: [part, NULL] })
const digits = (most: number): Part => ({ type: 'string', pattern: `^[0-9]{1,${most}}$` })
const COUNT: Part = { anyOf: [digits(9), integer(0, 2 ** 31 - 1)] }

/** A message of a request. */
const message = (fields: Readonly<Record<string, Part>>, required: readonly string[] = []): Part =>
  record(
    Object.fromEntries(
      Object.entries(fields).map(([name, part]) => [name, required.includes(name) ? part : orNull(part)]),
    ),
    required,
    false,
  )

const TYPED: readonly (readonly [string, Part])[] = [
  ['valueInt', { anyOf: [{ type: 'string', pattern: '^-?[0-9]{1,18}$' }, INT64] }],
  ['valueFloat', { type: 'number', exclusiveMinimum: -TOO_LARGE, exclusiveMaximum: TOO_LARGE }],
  ['valueDouble', number],
]
const typed = (more: Readonly<Record<string, Part>>): Part => ({
  anyOf: TYPED.map(([name, value]) =>
    record({ namespace: NAME, [name]: value, ...more }, ['namespace', name, ...Object.keys(more)], false),
  ),
})
const OPERATORS = ['LESS', 'LESS_EQUAL', 'EQUAL', 'GREATER_EQUAL', 'GREATER', 'NOT_EQUAL']

const RESTRICT = message({ namespace: NAME, allowList: list(text), denyList: list(text) }, ['namespace'])
const NUMBER = typed({})
const CONDITION = typed({ op: { anyOf: [{ enum: OPERATORS }, integer(1, OPERATORS.length)] } })
const CROWDING_TAG = record({ crowdingAttribute: text }, ['crowdingAttribute'], false)

/** A datapoint of an answer. */
const DATAPOINT = record(
  {
    datapointId: NAME,
    featureVector: list(number, { minItems: 1 }),
    restricts: list(RESTRICT),
    numericRestricts: list(NUMBER),
    crowdingTag: CROWDING_TAG,
  },
  ['datapointId'],
  false,
)
const NEIGHBOR = record({ datapoint: DATAPOINT, distance: { anyOf: [number, text] } }, ['datapoint', 'distance'], false)
const EMPTY = record({}, [], false)

/** Rows of a catalogue may have numbers for ids. */
const ID: Part = { type: ['string', 'number'] }

/** What a search of the towers may say of the items that it may find. */
export const RESTRICTS: Readonly<Record<string, Part>> = {
  restricts: list(message({ namespace: NAME, allow: list(text), deny: list(text) }, ['namespace'])),
  numericRestricts: list(typed({ op: { enum: OPERATORS } })),
  include: list(ID),
  exclude: list(ID),
  perCrowdingAttributeNeighborCount: COUNT,
}

/** Of each method: of what kind of resource, its name, its summary, request and response. */
type Method = readonly ['indexEndpoint' | 'index', string, string, Part, Part]

/** The methods of an index of vectors of `width` numbers. */
export function methods(width: number): readonly Method[] {
  const featureVector = list(FLOAT, { minItems: width, maxItems: width })
  const conditions = { restricts: list(RESTRICT), numericRestricts: list(CONDITION) }
  const query = message(
    {
      datapoint: {
        anyOf: [
          message({ datapointId: text, featureVector, ...conditions }, ['featureVector']),
          message({ datapointId: NAME, ...conditions }, ['datapointId']),
        ],
      },
      neighborCount: { anyOf: [digits(4), integer(0, MOST_NEIGHBORS)] },
      perCrowdingAttributeNeighborCount: COUNT,
      approximateNeighborCount: COUNT,
      fractionLeafNodesToSearchOverride: { type: 'number', minimum: 0, maximum: 1 },
    },
    ['datapoint'],
  )
  const attributes = { restricts: list(RESTRICT), numericRestricts: list(NUMBER) }
  const item = message({ datapointId: NAME, featureVector, ...attributes, crowdingTag: CROWDING_TAG }, [
    'datapointId',
    'featureVector',
  ])
  const restricted = message({ datapointId: NAME, ...attributes }, ['datapointId'])
  return [
    [
      'indexEndpoint',
      'findNeighbors',
      'the nearest datapoints of each query, as Vector Search answers',
      message({ deployedIndexId: text, queries: list(query), returnFullDatapoint: { type: 'boolean' } }),
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
      message({ deployedIndexId: text, ids: list(text) }),
      record({ datapoints: list(DATAPOINT) }, ['datapoints'], false),
    ],
    [
      'index',
      'upsertDatapoints',
      'put datapoints in, or with a mask their restricts',
      {
        anyOf: [
          message({ datapoints: list(item), updateMask: { const: '' } }),
          message({ datapoints: list(restricted), updateMask: { const: 'allRestricts' } }, ['updateMask']),
        ],
      },
      EMPTY,
    ],
    ['index', 'removeDatapoints', 'take datapoints out', message({ datapointIds: list(text) }), EMPTY],
  ]
}

export const GOOGLE_ERROR = record(
  { error: record({ code: integer(400, 599), message: text, status: text }, ['code', 'message', 'status'], false) },
  ['error'],
  false,
)
