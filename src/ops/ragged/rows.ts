import { InvalidArgumentError } from '../../errors.ts'
import type { Attrs, Op } from '../../graph/index.ts'
import { isBig, type Tensor, type TypedArray } from '../../tensor/index.ts'
import { filled, numeric } from '../elementwise.ts'
import { integersOf, integerTensor } from '../integers.ts'
import { checkedSize, take, takeRows } from '../layout.ts'
import { int64 } from '../sparse/coo.ts'
import { fillEmptyRows as sparseFillEmptyRows } from '../sparse/layout.ts'
import { nestedSplits } from './splits.ts'

const splitsType = (attrs: Attrs) => attrs.dtype('Tsplits', 'int64')

/** After core/kernels/ragged_tensor_to_sparse_kernel.cc. */
export const toSparse: Op = {
  outputs: ['sparse_indices', 'sparse_values', 'sparse_dense_shape'],
  evaluate({ inputs, attrs }) {
    const rank = attrs.number('RAGGED_RANK')
    const values = inputs[rank]
    const nested = nestedSplits(inputs.slice(0, rank), values)
    const inner = values.shape.slice(1)
    const dims = [nested[0].length - 1, ...nested.map(longestRow), ...inner]
    // The coordinates of each row, one ragged dimension after the other; then those inside of a value.
    let rows: number[][] = Array.from({ length: dims[0] }, (_, row) => [row])
    for (const splits of nested) {
      rows = rows.flatMap((row, r) => Array.from({ length: splits[r + 1] - splits[r] }, (_, i) => [...row, i]))
    }
    for (const dim of inner) rows = rows.flatMap((row) => Array.from({ length: dim }, (_, i) => [...row, i]))
    return [
      int64([rows.length, dims.length], rows.flat()),
      { ...values, shape: [values.data.length] } as Tensor,
      int64([dims.length], dims),
    ]
  },
}

const longestRow = (splits: readonly number[]): number =>
  splits.reduce((most, split, i) => (i === 0 ? 0 : Math.max(most, split - splits[i - 1])), 0)

/** After core/kernels/ragged_gather_op.cc: indices of several dimensions add ragged dimensions of even rows. */
export const gather: Op = {
  outputs: (attrs) => [
    ['output_nested_splits', attrs.number('OUTPUT_RAGGED_RANK')],
    ['output_dense_values', 1],
  ],
  evaluate({ inputs, attrs }) {
    const rank = attrs.number('PARAMS_RAGGED_RANK')
    const values = inputs[rank]
    const indices = inputs[rank + 1]
    const nested = nestedSplits(inputs.slice(0, rank), values)
    const count = nested[0].length - 1
    let rows = integersOf(indices, 'indices')
    rows.forEach((row, i) => {
      if (!(row >= 0 && row < count)) {
        throw new InvalidArgumentError(`indices[${i}] = ${row} is not in [0, ${count})`)
      }
    })
    const results: number[][] = []
    let even = indices.shape[0] ?? 1
    for (const dim of indices.shape.slice(1)) {
      results.push(Array.from({ length: even + 1 }, (_, i) => i * dim))
      even *= dim
    }
    for (const splits of nested) {
      const gathered = [0]
      for (const row of rows) gathered.push(gathered[gathered.length - 1] + splits[row + 1] - splits[row])
      results.push(gathered)
      rows = rows.flatMap((row) => Array.from({ length: splits[row + 1] - splits[row] }, (_, i) => splits[row] + i))
    }
    return [
      ...results.map((splits) => integerTensor(splitsType(attrs), [splits.length], splits)),
      takeRows(values, rows),
    ]
  },
}

/** After core/kernels/ragged_range_op.cc: values are summed up step by step in their own precision. */
export const range: Op = {
  outputs: ['rt_nested_splits', 'rt_dense_values'],
  evaluate(call) {
    const ends = [numeric(call, 0), numeric(call, 1), numeric(call, 2)]
    const names = ['starts', 'limits', 'deltas']
    ends.forEach((end, i) => {
      if (end.shape.length > 1) throw new InvalidArgumentError(`${names[i]} must be a scalar or vector`)
    })
    const lengths = new Set(ends.filter((end) => end.shape.length === 1).map((end) => end.shape[0]))
    if (lengths.size > 1) throw new InvalidArgumentError('starts, limits, and deltas must have the same shape')
    const [count = 1] = lengths
    const at = (end: number, row: number) => (ends[end].data as TypedArray)[ends[end].shape.length === 0 ? 0 : row]
    const splits = [0]
    for (let row = 0; row < count; row++) {
      splits.push(splits[row] + steps(at(0, row), at(1, row), at(2, row)))
      checkedSize([splits[row + 1]], 'range')
    }
    const { dtype } = ends[0]
    const values = filled(dtype, [splits[count]], (out) => {
      for (let row = 0; row < count; row++) {
        for (let i = splits[row]; i < splits[row + 1]; i++) {
          out[i] = i === splits[row] ? at(0, row) : step(out[i - 1], at(2, row))
        }
      }
    })
    return [integerTensor(splitsType(call.attrs), [count + 1], splits), values]
  },
}

const step = (value: number | bigint, delta: number | bigint): number | bigint =>
  typeof value === 'bigint' ? value + BigInt(delta) : value + Number(delta)

function steps(start: number | bigint, limit: number | bigint, delta: number | bigint): number {
  if (Number(delta) === 0) throw new InvalidArgumentError('Requires delta != 0')
  if (delta > 0 ? start >= limit : start <= limit) return 0
  if (typeof start === 'bigint' && typeof limit === 'bigint' && typeof delta === 'bigint') {
    const [far, by] = delta > 0n ? [limit - start, delta] : [start - limit, -delta]
    return Number((far + by - 1n) / by)
  }
  const count = Math.ceil(Math.abs((Number(limit) - Number(start)) / Number(delta)))
  if (Number.isNaN(count)) throw new InvalidArgumentError(`a range from ${start} to ${limit} by ${delta} has no size`)
  return count
}

/**
 * RaggedFillEmptyRows: SparseFillEmptyRows of one dimension, whose rows are value_rowids. Where there are no rows at all
 * TensorFlow's value_rowids are a matrix.
 */
export const fillEmptyRows: Op = {
  outputs: ['output_value_rowids', 'output_values', 'empty_row_indicator', 'reverse_index_map'],
  evaluate(call) {
    const [rowids, values, rows, fallback] = call.inputs
    if (rowids.shape.length !== 1)
      throw new InvalidArgumentError(`value_rowids must be a vector, saw: [${rowids.shape}]`)
    if (rows.shape.length !== 0) throw new InvalidArgumentError(`nrows must be a scalar, saw: [${rows.shape}]`)
    const matrix = { ...rowids, shape: [rowids.data.length, 1] } as Tensor
    const shape = { ...rows, shape: [1] } as Tensor
    const results = sparseFillEmptyRows.evaluate({ ...call, inputs: [matrix, values, shape, fallback] })
    const [filledRows, ...rest] = results as readonly Tensor[]
    const { length } = filledRows.data
    return [{ ...filledRows, shape: length === 0 ? [0, 1] : [length] } as Tensor, ...rest]
  },
}

/**
 * RaggedBincount after core/kernels/bincount_op.cc: in a row for each ragged row, how often each value below `size`
 * occurs or the sum of its weights. Larger values are ignored.
 */
export const bincount: Op = {
  evaluate(call) {
    const [splitsTensor, valuesTensor, sizeTensor] = call.inputs
    const weights = numeric(call, 3)
    const splits = integersOf(splitsTensor, 'splits')
    const values = integersOf(valuesTensor, 'values')
    const [size] = integersOf(sizeTensor, 'size')
    if (sizeTensor.shape.length !== 0) throw new InvalidArgumentError('Shape must be rank 0')
    if (size < 0) throw new InvalidArgumentError(`size (${size}) must be non-negative`)
    if (splits.length === 0 || splits[0] !== 0) throw new InvalidArgumentError('Splits must start with 0')
    if (splits[splits.length - 1] !== values.length) {
      throw new InvalidArgumentError(
        `Splits must end with the number of values, got ${splits[splits.length - 1]} instead of ${values.length}`,
      )
    }
    if (weights.data.length > 0 && weights.data.length !== values.length) {
      throw new InvalidArgumentError(`weights have ${weights.data.length} elements for ${values.length} values`)
    }
    if (values.some((value) => value < 0)) throw new InvalidArgumentError('Input arr must be non-negative!')
    const shape = [splits.length - 1, size]
    checkedSize(shape, 'output shape')
    const binary = call.attrs.boolean('binary_output', false)
    const one = isBig(weights.dtype) ? 1n : 1
    return filled(weights.dtype, shape, (out) => {
      for (let row = 0; row + 1 < splits.length; row++) {
        for (let i = splits[row]; i < splits[row + 1]; i++) {
          if (values[i] >= size) continue
          const bin = row * size + values[i]
          const weight = weights.data.length > 0 ? weights.data[i] : one
          out[bin] = binary ? one : step(out[bin], weight)
        }
      }
    })
  },
}

/** The flat values of a ragged tensor between two rows of its outermost dimension, and the splits inside. */
export function sliceRagged(
  nested: readonly (readonly number[])[],
  values: Tensor,
  from: number,
  to: number,
): { nested: number[][]; values: Tensor } {
  let [start, end] = [from, to]
  const inside = nested.map((splits) => {
    const part = splits.slice(start, end + 1).map((split) => split - splits[start])
    ;[start, end] = [splits[start], splits[end]]
    return part
  })
  const width = values.shape[0] === 0 ? 0 : values.data.length / values.shape[0]
  const elements = Float64Array.from({ length: (end - start) * width }, (_, i) => start * width + i)
  return { nested: inside, values: take(values, elements, [end - start, ...values.shape.slice(1)]) }
}
