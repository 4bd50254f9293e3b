import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Call, Op, OutputNames } from '../graph/index.ts'
import { type DType, Strings, sizeOf, type Tensor, utf8 } from '../tensor/index.ts'
import { decodeCsv } from './examples/csv.ts'
import { decodeJsonExample } from './examples/json.ts'
import {
  type Dense,
  type Request,
  request,
  show,
  typeName,
  type Wanted,
  wanted,
  wantedDense,
} from './examples/request.ts'
import { elements, int64, namesOf, splitsTensor, stringsOf } from './examples/tensors.ts'
import { type FeatureKind, kindOf, readFeatures } from './examples/wire.ts'

// tf.Example to tensors, after core/kernels/example_parsing_ops.cc and core/util/example_proto_fast_parsing.cc.

/** Where an error happened: an example of a batch, or the only one. */
interface Place {
  /** The example's place in the batch; null for a scalar. */
  readonly index: number | null
  readonly name: string
}

/** Reads one serialized Example into the columns of `request`. */
function readExample({ dense, sparse, ragged, byName }: Request, example: Uint8Array, place: Place): void {
  const features = readFeatures(example)
  if (features === null) {
    throw new InvalidArgumentError(
      `Could not parse example input, value: '${utf8(example) ?? `${example.length} bytes`}'`,
    )
  }
  const seen = new Set<Wanted>()
  const prefix = place.index === null ? '' : `Name: ${place.name}, `
  // The last entry of a name overwrites those before it, as in a protobuf map.
  for (const feature of features.reverse()) {
    const want = byName.get(feature.name)
    if (want === undefined) continue
    const refuse = (problem: string): never => {
      const index = place.index === null ? '' : `, Index: ${place.index}`
      throw new InvalidArgumentError(`${prefix}Key: ${feature.name}${index}.  ${problem}`)
    }
    const kind = kindOf(feature)
    if (kind === undefined) throw new InvalidArgumentError('Unsupported datatype.')
    // An entry without a value is as if it were absent, but in a batch a sparse one still hides earlier ones.
    if (kind === null) {
      if (want.kind !== 'dense' && place.index !== null) seen.add(want)
      continue
    }
    if (seen.has(want)) continue
    seen.add(want)
    const { column } = want
    if (kind !== column.dtype) {
      refuse(
        want.kind === 'dense'
          ? `Data types don't match. Data type: ${typeName(kind)} but expected type: ${typeName(column.dtype)}`
          : `Data types don't match. Expected type: ${typeName(column.dtype)}, Actual type: ${typeName(kind)}`,
      )
    }
    const before = column.length
    if (!column.read(feature)) refuse("Can't parse serialized Example.")
    if (want.kind === 'dense') checkCount(want as Dense, column.length - before, refuse)
  }
  for (const want of dense) if (!seen.has(want) && !want.variable) copyDefault(want, prefix)
  for (const { column } of [...dense, ...sparse, ...ragged]) column.ends.push(column.length)
}

const COUNTED: Readonly<Record<FeatureKind, string>> = { float32: 'float', int64: 'int64', string: 'bytes' }

function checkCount(
  { variable, inner, shape, column }: Dense,
  count: number,
  refuse: (problem: string) => never,
): void {
  const stride = sizeOf(inner)
  const what = COUNTED[column.dtype]
  if (variable && count % stride !== 0) {
    refuse(
      `Number of ${what} values is not a multiple of stride length. Saw ${count} values but output shape is: ${show(shape)}`,
    )
  }
  if (!variable && count !== stride) {
    refuse(`Number of ${what} values != expected.  Values size: ${count} but output shape: ${show(shape)}`)
  }
}

function copyDefault({ name, column, fallback }: Dense, prefix: string): void {
  if (fallback.data.length === 0) {
    throw new InvalidArgumentError(
      `${prefix}Feature: ${name} (data type: ${typeName(column.dtype)}) is required but could not be found.`,
    )
  }
  column.copy(fallback)
}

/** A batch's outputs: dense ones have the batch first, sparse ones are [batch, longest], ragged ones have row splits. */
function batchOutputs({ dense, sparse, ragged }: Request, splits: readonly DType[]): Tensor[] {
  return [
    ...sparse.map(({ column: { ends } }) => {
      const indices = new BigInt64Array(2 * (ends[ends.length - 1] ?? 0))
      let value = 0
      ends.forEach((end, example) => {
        for (let i = 0; value < end; i++, value++) indices.set([BigInt(example), BigInt(i)], 2 * value)
      })
      return int64([value, 2], indices)
    }),
    ...sparse.map(({ column }) => column.tensor([column.length])),
    ...sparse.map(({ column }) => int64([2], BigInt64Array.of(BigInt(column.ends.length), BigInt(column.longest())))),
    ...dense.map(({ column, variable, inner, fallback }) =>
      variable ? column.padded(inner, fallback) : column.tensor([column.ends.length, ...inner]),
    ),
    ...ragged.map(({ column }) => column.tensor([column.length])),
    ...ragged.map(({ column: { ends } }, i) => splitsTensor(splits[i], [0, ...ends])),
  ]
}

/** One example's outputs, without a batch dimension; row splits are then empty. */
function singleOutputs({ dense, sparse, ragged }: Request, splits: readonly DType[]): Tensor[] {
  return [
    ...sparse.map(({ column: { length } }) =>
      int64(
        [length, 1],
        BigInt64Array.from({ length }, (_, i) => BigInt(i)),
      ),
    ),
    ...sparse.map(({ column }) => column.tensor([column.length])),
    ...sparse.map(({ column }) => int64([1], BigInt64Array.of(BigInt(column.length)))),
    ...dense.map(({ column, variable, inner }) =>
      column.tensor(variable ? [column.length / sizeOf(inner), ...inner] : inner),
    ),
    ...ragged.map(({ column }) => column.tensor([column.length])),
    ...ragged.map((_, i) => splitsTensor(splits[i], [])),
  ]
}

/** Reads the scalar or the vector of Examples. */
function parse(serialized: Tensor, names: Strings, wants: Request, splits: readonly DType[]): Tensor[] {
  const examples = stringsOf(serialized, 'serialized')
  if (serialized.shape.length === 0) {
    readExample(wants, examples.at(0), { index: null, name: '' })
    return singleOutputs(wants, splits)
  }
  for (let i = 0; i < examples.length; i++) {
    readExample(wants, examples.at(i), { index: i, name: names.length > 0 ? names.text(i) : '<unknown>' })
  }
  return batchOutputs(wants, splits)
}

const parseExample: Op = {
  outputs: (attrs) => [
    ['sparse_indices', attrs.number('Nsparse')],
    ['sparse_values', attrs.number('Nsparse')],
    ['sparse_shapes', attrs.number('Nsparse')],
    ['dense_values', attrs.number('Ndense')],
  ],
  evaluate({ inputs, attrs }) {
    const [serialized, names, ...rest] = inputs
    const [sparse, dense] = [attrs.number('Nsparse'), attrs.number('Ndense')]
    const keys = rest.slice(0, sparse + dense).flatMap((key) => elements(key, 'a key'))
    if (serialized.shape.length !== 1) {
      throw new InvalidArgumentError(`Expected serialized to be a vector, got shape: ${show(serialized.shape)}`)
    }
    const wants = request(
      wantedDense(keys.slice(sparse), attrs, rest.slice(sparse + dense)),
      wanted('sparse', keys.slice(0, sparse), attrs.dtypes('sparse_types', []), 'num_sparse'),
      [],
    )
    return parse(serialized, namesOf(names, serialized), wants, [])
  },
}

const parseExampleV2: Op = {
  outputs: (attrs) => [
    ...v1Outputs(attrs),
    ['ragged_values', attrs.dtypes('ragged_value_types', []).length],
    ['ragged_row_splits', attrs.dtypes('ragged_split_types', []).length],
  ],
  evaluate({ inputs, attrs }) {
    const [serialized, names, sparse, dense, ragged, ...defaults] = inputs
    if (serialized.shape.length > 1) {
      throw new InvalidArgumentError(
        `Expected serialized to be a scalar or vector, got shape: ${show(serialized.shape)}`,
      )
    }
    const splits = attrs.dtypes('ragged_split_types', [])
    const wants = request(
      wantedDense(elements(dense, 'dense_keys'), attrs, defaults),
      wanted('sparse', elements(sparse, 'sparse_keys'), attrs.dtypes('sparse_types', []), 'num_sparse'),
      wanted(
        'ragged',
        elements(ragged, 'ragged_keys'),
        attrs.dtypes('ragged_value_types', []),
        'len(ragged_value_types)',
      ),
    )
    return parse(serialized, namesOf(names, serialized), wants, splits)
  },
}

/** The counts by which ParseExampleV2 and ParseSingleExample name their outputs. */
const v1Outputs = (attrs: Attrs): [string, number][] => [
  ['sparse_indices', attrs.number('num_sparse')],
  ['sparse_values', attrs.number('num_sparse')],
  ['sparse_shapes', attrs.number('num_sparse')],
  ['dense_values', attrs.dtypes('Tdense', []).length],
]

const parseSingleExample: Op = {
  outputs: v1Outputs satisfies OutputNames,
  evaluate({ inputs, attrs }: Call) {
    const [serialized, ...defaults] = inputs
    if (serialized.shape.length !== 0) {
      throw new InvalidArgumentError(`Expected serialized to be a scalar, got shape: ${show(serialized.shape)}`)
    }
    const keys = (name: string) => elements(keyTensor(attrs.strings(name, [])), name)
    const wants = request(
      wantedDense(keys('dense_keys'), attrs, defaults),
      wanted('sparse', keys('sparse_keys'), attrs.dtypes('sparse_types', []), 'num_sparse'),
      [],
    )
    return parse(serialized, NO_NAMES, wants, [])
  },
}

const NO_NAMES = Strings.from([])
const keyTensor = (keys: readonly string[]): Tensor => ({
  dtype: 'string',
  shape: [keys.length],
  data: Strings.from(keys),
})

export const ops: Readonly<Record<string, Op>> = {
  ParseExample: parseExample,
  ParseExampleV2: parseExampleV2,
  ParseSingleExample: parseSingleExample,
  DecodeJSONExample: decodeJsonExample,
  DecodeCSV: decodeCsv,
}
