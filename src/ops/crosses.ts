import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import { batchOf, type Column, crossCounts, denseColumn, raggedColumn, sparseColumn } from './crosses/columns.ts'
import { crossHashes, keyedHash, plainHash } from './crosses/hashes.ts'
import { crossTexts, SEPARATOR } from './crosses/texts.ts'
import { integerTensor } from './integers.ts'
import { int64, OUTPUTS } from './sparse/coo.ts'

// Crosses of features, row by row: every combination of one value of each column, as text or as a hash. After
// core/kernels/{sparse_cross_op,ragged_cross_op}.cc.

/** The sparse columns of a SparseCross op, then its dense ones; and the inputs that follow. */
function readColumns({ inputs, attrs }: Call): { columns: Column[]; batch: number; rest: readonly Tensor[] } {
  const n = attrs.number('N')
  const dense = attrs.dtypes('dense_types', []).length
  const columns = [
    ...Array.from({ length: n }, (_, i) => sparseColumn(inputs[i], inputs[n + i], inputs[2 * n + i])),
    ...inputs.slice(3 * n, 3 * n + dense).map(denseColumn),
  ]
  return { columns, batch: batchOf(columns), rest: inputs.slice(3 * n + dense) }
}

/** Indices and shape around the crosses, of which each row has `counts`. */
function sparseOutputs(counts: readonly number[], values: Tensor): Tensor[] {
  const coordinates = new Float64Array(2 * values.data.length)
  let at = 0
  counts.forEach((count, row) => {
    for (let i = 0; i < count; i++) {
      coordinates[at++] = row
      coordinates[at++] = i
    }
  })
  const longest = counts.reduce((most, count) => Math.max(most, count), 0)
  return [int64([values.data.length, 2], coordinates), values, int64([2], [counts.length, longest])]
}

const sparseCross: Op = {
  outputs: OUTPUTS,
  evaluate(call) {
    const { attrs } = call
    const { columns, batch } = readColumns(call)
    if (attrs.dtype('internal_type') === 'string' && columns.some(({ values }) => values.dtype === 'int64')) {
      throw new InvalidArgumentError('Input values should be of internal type string but received int64')
    }
    const counts = crossCounts(columns, batch)
    const values =
      attrs.dtype('out_type') === 'string'
        ? crossTexts(columns, counts, SEPARATOR)
        : crossHashes(columns, counts, plainHash, attrs.number('num_buckets'), attrs.int64('hash_key'))
    return sparseOutputs(counts, values)
  },
}

const sparseCrossV2: Op = {
  outputs: OUTPUTS,
  evaluate(call) {
    const { columns, batch, rest } = readColumns(call)
    const [separator] = rest
    if (separator.dtype !== 'string' || separator.shape.length !== 0) {
      throw new InvalidArgumentError(`Input separator should be a scalar. Received: [${separator.shape}]`)
    }
    const counts = crossCounts(columns, batch)
    return sparseOutputs(counts, crossTexts(columns, counts, separator.data.at(0)))
  },
}

const sparseCrossHashed: Op = {
  outputs: OUTPUTS,
  evaluate(call) {
    const { columns, batch, rest } = readColumns(call)
    const [buckets, strong, salt] = rest
    if (buckets.dtype !== 'int64' || buckets.data.length !== 1) {
      throw new InvalidArgumentError(`Input num_buckets should be a scalar. Received: [${buckets.shape}]`)
    }
    if (strong.dtype !== 'bool' || strong.shape.length !== 0) {
      throw new InvalidArgumentError(`Input strong_hash should be a scalar. Received: [${strong.shape}]`)
    }
    if (salt.dtype !== 'int64' || salt.data.length !== 2) {
      throw new InvalidArgumentError(`Input salt should have 2 elements. Received: [${salt.shape}]`)
    }
    const hash = keyedHash(strong.data[0] === 1, [salt.data[0], salt.data[1]])
    const counts = crossCounts(columns, batch)
    return sparseOutputs(counts, crossHashes(columns, counts, hash, Number(buckets.data[0]), null))
  },
}

const raggedCross: Op = {
  outputs: ['output_values', 'output_row_splits'],
  evaluate({ inputs, attrs }) {
    const ragged = attrs.dtypes('ragged_values_types', []).length
    const sparse = attrs.number('Nsparse')
    const sparseFrom = 2 * ragged
    const denseFrom = sparseFrom + 3 * sparse
    const next = { R: 0, S: 0, D: 0 }
    const columns = [...attrs.string('input_order')].map((kind) => {
      if (kind !== 'R' && kind !== 'S' && kind !== 'D') {
        throw new InvalidArgumentError('Unexpected input_order value.')
      }
      const i = next[kind]++
      if (i >= { R: ragged, S: sparse, D: inputs.length - denseFrom }[kind]) {
        throw new InvalidArgumentError(
          `input_order "${attrs.string('input_order')}" specifies more inputs than there are`,
        )
      }
      if (kind === 'R') return raggedColumn(inputs[i], inputs[ragged + i])
      if (kind === 'D') return denseColumn(inputs[denseFrom + i])
      const at = sparseFrom + i
      return sparseColumn(inputs[at], inputs[at + sparse], inputs[at + 2 * sparse], true)
    })
    const counts = crossCounts(columns, batchOf(columns))
    const values =
      attrs.dtype('out_values_type') === 'string'
        ? crossTexts(columns, counts, SEPARATOR)
        : crossHashes(columns, counts, plainHash, attrs.number('num_buckets'), attrs.int64('hash_key'))
    const splits = [0]
    for (const count of counts) splits.push(splits[splits.length - 1] + count)
    return [values, integerTensor(attrs.dtype('out_row_splits_type'), [splits.length], splits)]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  SparseCross: sparseCross,
  SparseCrossV2: sparseCrossV2,
  SparseCrossHashed: sparseCrossHashed,
  RaggedCross: raggedCross,
}
