import { constantOf, type Graph, type Node, type Port, type Table } from '../graph/index.ts'
import { type Declared, type Preprocess, stepsOf, type Typed } from '../preprocess/index.ts'
import type { DType, Tensor } from '../tensor/index.ts'
import { dependence } from '../towers/dependence.ts'
import { type ExampleFeature, exampleFeatures } from './examples.ts'

/** What a graph tells of the values that one of its inputs takes. */
export interface Hint {
  /** Words of a vocabulary, or ids of a table, that it is looked up in; the first few thousand. */
  readonly known: readonly (string | number | bigint)[]
  /** The vocabulary as a whole, where it is one of the graph's tables. */
  readonly table: Table | null
  /** True where it is cut into words. */
  readonly text: boolean
  /** True where a string is read as a number. */
  readonly numeric: boolean
  /** Ids that rows are gathered by lie below. */
  readonly below: number | null
  /** How many numbers a raw feature's vector has. */
  readonly length: number | null
  /** What a serialized tf.Example is asked for, where it is one. */
  readonly example: readonly ExampleFeature[] | null
}

export const NO_HINT: Hint = {
  known: [],
  table: null,
  text: false,
  numeric: false,
  below: null,
  length: null,
  example: null,
}

/** Words beyond these are no help. */
const MOST = 4096
const CUTS = /Split|Tokenize|NGrams|CodePoints|WordIds/
const GATHERS = /^(Gather|GatherV2|ResourceGather|twotower>PoolRows|SparseSegment(Sum|Mean|SqrtN))$/

/** What `graph` does with each of its inputs alone: what it is looked up in, and how it is taken apart. */
function hintsOf(graph: Graph, inputs: readonly Port[]): Hint[] {
  const depends = dependence(graph)
  return inputs.map(({ dtype }, i) => {
    const own = graph.nodes.filter((node) => depends.get(node)?.size === 1 && depends.get(node)?.has(i))
    const tables = own.flatMap(({ inputs }) => inputs.flatMap(({ node }) => tableOf(node) ?? []))
    const table = tables.find(({ keyDtype }) => keyDtype === dtype) ?? tables[0]
    const gathered = own.filter(({ op }) => GATHERS.test(op)).flatMap(({ inputs: [table] }) => rowsOf(table.node) ?? [])
    return {
      ...NO_HINT,
      known: table === undefined ? [] : keysOf(table.export().keys, dtype),
      table: table ?? null,
      text: own.some(({ op }) => CUTS.test(op)),
      numeric: own.some(({ op }) => op === 'StringToNumber'),
      below: gathered.length === 0 ? null : Math.min(...gathered),
      example: askedOf(own),
    }
  })
}

/** What serialized examples are asked for: a node for each feature may parse them. Null where nothing does. */
function askedOf(nodes: readonly Node[]): ExampleFeature[] | null {
  const asked = nodes.map(exampleFeatures).filter((each) => each !== null)
  const byName = new Map(asked.flat().map((feature) => [feature.name, feature]))
  return asked.length === 0 ? null : [...byName.values()]
}

function tableOf(node: Node): Table | null {
  const held = constantOf({ node, index: 0 })
  const resource = held?.dtype === 'resource' ? (held.data[0] as Table | { readonly kind: 'variable' }) : null
  return resource?.kind === 'table' && resource.initialized ? resource : null
}

/** How many rows, or elements, a constant table has. */
function rowsOf(node: Node): number | null {
  const held = constantOf({ node, index: 0 })
  const value = held?.dtype === 'resource' ? (held.data[0] as { readonly value?: Tensor | null }).value : held
  return value?.shape[0] ?? null
}

/** The keys as an input of `dtype` gives them: an id may be looked up as text. */
function keysOf(keys: Tensor, dtype: DType): (string | number | bigint)[] {
  if (keys.dtype !== 'string') {
    const ids = Array.from((keys.data as ArrayLike<number | bigint>) ?? []).slice(0, MOST)
    return dtype === 'string' ? ids.map(String) : ids
  }
  const words = Array.from({ length: Math.min(keys.data.length, MOST) }, (_, i) => keys.data.text(i))
  return dtype === 'string'
    ? words.filter((word) => word !== '')
    : words.filter((word) => /^\d{1,15}$/.test(word)).map(Number)
}

/** What the declaration of preprocess.json tells of the raw feature that an input is made of. */
export function declaredHint(declaration: Declared | Typed): Hint {
  const steps = stepsOf(declaration)
  const has = (...names: readonly string[]) => steps.some(({ step }) => names.includes(step))
  const known = steps.flatMap((step) =>
    'vocabulary' in step && Array.isArray(step.vocabulary) ? step.vocabulary.slice(0, MOST) : [],
  )
  const vector = steps.find((step) => step.step === 'vector')
  return {
    ...NO_HINT,
    known,
    text: has('split', 'regex_split', 'bert_tokens', 'characters'),
    numeric: known.length === 0 && has('number', 'clip', 'log1p', 'standardize', 'min_max', 'buckets'),
    length: vector?.step === 'vector' ? vector.length : null,
  }
}

/**
 * What is known of each of the features that callers give for `inputs`, in their order.
 * @param graph of whose parameters `inputs` are the ports
 */
export function featureHints(
  graph: Graph,
  inputs: readonly Port[],
  features: readonly Port[],
  declared: Preprocess['inputs'],
): Hint[] {
  const own = hintsOf(graph, inputs)
  return features.map(({ name }) => {
    const [, declaration] = Object.entries(declared).find(([input, { from = input }]) => from === name) ?? []
    if (declaration !== undefined) return declaredHint(declaration)
    return own[inputs.findIndex((port) => port.name === name)] ?? NO_HINT
  })
}
