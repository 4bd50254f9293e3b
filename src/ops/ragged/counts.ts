import { InvalidArgumentError } from '../../errors.ts'
import type { Call, Op } from '../../graph/index.ts'
import { isBig, type Tensor } from '../../tensor/index.ts'
import { filled, type NumericTensor, numeric } from '../elementwise.ts'
import { integersOf } from '../integers.ts'
import { int64, requireInside, sparseOf } from '../sparse/coo.ts'

// Counting values into sparse tensors, after core/kernels/count_ops.cc.

const OUTPUTS = ['output_indices', 'output_values', 'output_dense_shape']

/**
 * How often each value occurs in each row, sorted by value; `rowOf` tells a value's row. Values from maxlength on, which may
 * be 0, are left out.
 */
function count(
  call: Call,
  values: readonly number[],
  weights: NumericTensor,
  rows: number | null,
  rowOf: (i: number) => number,
): Tensor[] {
  const { attrs } = call
  const most = attrs.number('maxlength', -1)
  const binary = attrs.boolean('binary_output')
  const one = isBig(weights.dtype) ? 1n : 1
  const counts = Array.from({ length: rows ?? 1 }, () => new Map<number, number | bigint>())
  let highest = 0
  values.forEach((value, i) => {
    if (value < 0) throw new InvalidArgumentError('Input values must all be non-negative')
    if (most >= 0 && value >= most) return
    const row = counts[rowOf(i)]
    const before = row.get(value)
    const weight = weights.data.length > 0 ? weights.data[i] : one
    if (binary) row.set(value, one)
    else if (typeof weight === 'bigint') row.set(value, BigInt(before ?? 0) + weight)
    else row.set(value, Number(before ?? 0) + weight)
    highest = Math.max(highest, value)
  })
  const width = most >= 0 ? most : Math.max(highest + 1, attrs.number('minlength', -1))
  const coordinates: number[] = []
  const sums: (number | bigint)[] = []
  counts.forEach((row, r) => {
    for (const [value, sum] of [...row].sort(([x], [y]) => x - y)) {
      if (rows !== null) coordinates.push(r)
      coordinates.push(value)
      sums.push(sum)
    }
  })
  const rank = rows === null ? 1 : 2
  return [
    int64([sums.length, rank], coordinates),
    filled(weights.dtype, [sums.length], (out) => {
      for (let i = 0; i < sums.length; i++) out[i] = sums[i]
    }),
    int64([rank], rows === null ? [width] : [rows, width]),
  ]
}

/** Input `i`: empty, or of the values' shape. */
function weightsOf(call: Call, i: number, values: Tensor): NumericTensor {
  const weights = numeric(call, i)
  if (weights.data.length > 0 && String(weights.shape) !== String(values.shape)) {
    throw new InvalidArgumentError(
      `Weights and values must have the same shape. Weight shape: [${weights.shape}]; values shape: [${values.shape}]`,
    )
  }
  return weights
}

export const denseCount: Op = {
  outputs: OUTPUTS,
  evaluate(call) {
    const [values] = call.inputs
    const { shape } = values
    if (shape.length !== 1 && shape.length !== 2) {
      throw new InvalidArgumentError(`Input must be a 1 or 2-dimensional tensor. Got: [${shape}]`)
    }
    const weights = weightsOf(call, 1, values)
    const rows = shape.length === 1 ? null : shape[0]
    if (rows === 0) throw new InvalidArgumentError('Invalid input: Shapes dimension cannot be 0.')
    const width = shape[shape.length - 1]
    return count(call, integersOf(values, 'values'), weights, rows, (i) => (rows === null ? 0 : Math.floor(i / width)))
  },
}

export const sparseCount: Op = {
  outputs: OUTPUTS,
  evaluate(call) {
    const [indices, values, shape] = call.inputs
    const sparse = sparseOf(indices, values, shape)
    const weights = weightsOf(call, 3, values)
    if (sparse.rank === 0) throw new InvalidArgumentError('The shape argument requires at least one element.')
    requireInside(sparse)
    const rows = sparse.rank === 1 ? null : sparse.shape[0]
    if (rows !== null && !(rows > 0 && rows < 2 ** 31 - 1)) {
      throw new InvalidArgumentError(`Cannot allocate ${rows} batches, is the dense shape too wide?`)
    }
    return count(call, integersOf(values, 'values'), weights, rows, (i) =>
      rows === null ? 0 : sparse.indices[i * sparse.rank],
    )
  },
}

export const raggedCount: Op = {
  outputs: OUTPUTS,
  evaluate(call) {
    const [splitsTensor, values] = call.inputs
    const weights = weightsOf(call, 2, values)
    const splits = integersOf(splitsTensor, 'splits')
    const rows = splits.length - 1
    if (rows < 1) throw new InvalidArgumentError('Must provide at least 2 elements for the splits argument')
    if (splits[0] !== 0) throw new InvalidArgumentError(`Splits must start with 0, not with ${splits[0]}`)
    if (splits[rows] !== values.data.length) {
      throw new InvalidArgumentError(
        `Splits must end with the number of values, got ${splits[rows]} instead of ${values.data.length}`,
      )
    }
    let row = 0
    return count(call, integersOf(values, 'values'), weights, rows, (i) => {
      while (row + 1 < rows && i >= splits[row + 1]) row++
      return row
    })
  },
}
