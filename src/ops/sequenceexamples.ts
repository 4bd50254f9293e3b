import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import { show, wanted } from './examples/request.ts'
import { type Batch, contextOutputs, type Dense, listOutputs, type Request, readBatch } from './examples/sequences.ts'
import { elements, namesOf, stringsOf } from './examples/tensors.ts'
import { nameOf } from './examples/wire.ts'

// The ops that parse tf.SequenceExample, after core/kernels/example_parsing_ops.cc; they differ in where keys come from.

const NO_DEFAULT: Tensor = { dtype: 'float32', shape: [0], data: new Float32Array(0) }

/** The keys of a node's features, by kind. */
interface Keys {
  readonly sparse: readonly Uint8Array[]
  readonly dense: readonly Uint8Array[]
  readonly ragged: readonly Uint8Array[]
}

const CONTEXT = { prefix: 'context', dense: 'Tcontext_dense' } as const
const LISTS = { prefix: 'feature_list', dense: 'feature_list_dense_types' } as const

function requestOf(
  { prefix, dense: denseTypes }: typeof CONTEXT | typeof LISTS,
  attrs: Attrs,
  keys: Keys,
  defaults: readonly Tensor[],
  missing: (i: number) => boolean,
): Request {
  const types = (what: string) => attrs.dtypes(what, [])
  const shapes = attrs.shapes(`${prefix}_dense_shapes`, [])
  const splits = types(`${prefix}_ragged_split_types`)
  const sparse = wanted('sparse', keys.sparse, types(`${prefix}_sparse_types`), `N${prefix}_sparse`)
  const ragged = wanted(
    'ragged',
    keys.ragged,
    types(`${prefix}_ragged_value_types`),
    `len(${prefix}_ragged_value_types)`,
  )
  const dense = wanted('dense', keys.dense, types(denseTypes), `N${prefix}_dense`).map((want, i): Dense => {
    const shape = shapes[i]
    if (!shape?.every((dim) => dim !== null) || (prefix === 'feature_list' && sizeOf(shape) === 0)) {
      throw new InvalidArgumentError(
        `${prefix}_dense_shapes[${i}] must be known and hold values: ${show(shape ?? null)}`,
      )
    }
    const fallback = defaults[i] ?? NO_DEFAULT
    if (fallback.data.length > 0 && show(fallback.shape) !== show(shape)) {
      throw new InvalidArgumentError(
        `Default value for context feature ${want.name} has an incorrect shape: saw ${show(fallback.shape)} but expected ${show(shape)}`,
      )
    }
    return { ...want, shape, fallback, mayMiss: missing(i) }
  })
  const all = [...sparse, ...dense, ...ragged]
  if (new Set(all.map(({ name }) => name)).size !== all.length) {
    throw new InvalidArgumentError(`a ${prefix} feature is asked for twice`)
  }
  return { sparse, dense, ragged: ragged.map((want, i) => ({ ...want, splits: splits[i] })) }
}

const sparseOutputs = (attrs: Attrs, prefix: string): [string, number][] =>
  ['indices', 'values', 'shapes'].map((what) => [
    `${prefix}_sparse_${what}`,
    attrs.dtypes(`${prefix}_sparse_types`, []).length,
  ])

const raggedOutputs = (attrs: Attrs, prefix: string, names: readonly string[]): [string, number][] =>
  names.map((what) => [`${prefix}_ragged_${what}`, attrs.dtypes(`${prefix}_ragged_value_types`, []).length])

const contextNames = (attrs: Attrs): [string, number][] => [
  ...sparseOutputs(attrs, 'context'),
  ['context_dense_values', attrs.dtypes('Tcontext_dense', []).length],
  ...raggedOutputs(attrs, 'context', ['values', 'row_splits']),
  ...sparseOutputs(attrs, 'feature_list'),
  ['feature_list_dense_values', attrs.dtypes('feature_list_dense_types', []).length],
]

const batchNames = (attrs: Attrs): [string, number][] => [
  ...contextNames(attrs),
  ['feature_list_dense_lengths', attrs.dtypes('feature_list_dense_types', []).length],
  ...raggedOutputs(attrs, 'feature_list', ['values', 'outer_splits', 'inner_splits']),
]

/** The names of the keys that are attributes in the first version of the op. */
const attributeKeys = (attrs: Attrs, what: string): Uint8Array[] =>
  attrs.strings(what, []).map((key) => new TextEncoder().encode(key))

/** What contexts and lists are asked for: their keys, the contexts' defaults, and which dense lists may be missing. */
interface Asked {
  readonly context: Keys
  readonly lists: Keys
  readonly defaults: readonly Tensor[]
  readonly mayMiss: (i: number) => boolean
}

function outputsOf(
  { context, lists, defaults, mayMiss }: Asked,
  attrs: Attrs,
  batch: Batch,
  withLengths: boolean,
): Tensor[] {
  const contexts = requestOf(CONTEXT, attrs, context, defaults, () => false)
  const rows = requestOf(LISTS, attrs, lists, [], mayMiss)
  return [...contextOutputs(contexts, batch), ...listOutputs(rows, batch, withLengths)]
}

const parseSequenceExampleV2: Op = {
  outputs: batchNames,
  evaluate({ inputs, attrs }) {
    const [serialized, names, ...rest] = inputs
    if (serialized.shape.length > 1) {
      throw new InvalidArgumentError(
        `Expected serialized to be a scalar or vector, got shape: ${show(serialized.shape)}`,
      )
    }
    const [contextSparse, contextDense, contextRagged, listSparse, listDense, listRagged] = rest.map((t, i) =>
      i < 6 ? elements(t, 'a key') : [],
    )
    const [missing, ...defaults] = rest.slice(6)
    const mayMiss = (i: number) => missing.dtype === 'bool' && missing.data[i] !== 0
    const batch = readBatch(serialized, namesOf(names, serialized))
    const context = { sparse: contextSparse, dense: contextDense, ragged: contextRagged }
    const lists = { sparse: listSparse, dense: listDense, ragged: listRagged }
    return outputsOf({ context, lists, defaults, mayMiss }, attrs, batch, true)
  },
}

const parseSequenceExample: Op = {
  outputs: batchNames,
  evaluate({ inputs, attrs }) {
    const [serialized, names, ...defaults] = inputs
    if (serialized.shape.length !== 1) {
      throw new InvalidArgumentError(`Expected serialized to be a vector, got shape: ${show(serialized.shape)}`)
    }
    const batch = readBatch(serialized, namesOf(names, serialized))
    const keys = (prefix: string): Keys => ({
      sparse: attributeKeys(attrs, `${prefix}_sparse_keys`),
      dense: attributeKeys(attrs, `${prefix}_dense_keys`),
      ragged: [],
    })
    const missing = new Set(attrs.strings('feature_list_dense_missing_assumed_empty', []))
    const dense = attrs.strings('feature_list_dense_keys', [])
    const [context, lists] = [keys('context'), keys('feature_list')]
    return outputsOf({ context, lists, defaults, mayMiss: (i) => missing.has(dense[i]) }, attrs, batch, true)
  },
}

const parseSingleSequenceExample: Op = {
  outputs: contextNames,
  evaluate({ inputs, attrs }) {
    const [serialized, missing, ...rest] = inputs
    if (serialized.shape.length !== 0) {
      throw new InvalidArgumentError(`Expected serialized to be a scalar, got shape: ${show(serialized.shape)}`)
    }
    const take = (count: string) => rest.splice(0, attrs.number(count, 0)).flatMap((key) => elements(key, 'a key'))
    const context = { sparse: take('Ncontext_sparse'), dense: take('Ncontext_dense'), ragged: [] }
    const lists = { sparse: take('Nfeature_list_sparse'), dense: take('Nfeature_list_dense'), ragged: [] }
    const defaults = rest.splice(0, context.dense.length)
    const [name] = rest
    const optional = new Set(elements(missing, 'feature_list_dense_missing_assumed_empty').map(nameOf))
    const batch = readBatch(serialized, stringsOf(name, 'debug_name'))
    return outputsOf(
      { context, lists, defaults, mayMiss: (i) => optional.has(nameOf(lists.dense[i])) },
      attrs,
      batch,
      false,
    )
  },
}

export const ops: Readonly<Record<string, Op>> = {
  ParseSequenceExample: parseSequenceExample,
  ParseSequenceExampleV2: parseSequenceExampleV2,
  ParseSingleSequenceExample: parseSingleSequenceExample,
}
