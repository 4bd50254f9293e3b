import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { type Tensor, zeros } from '../../tensor/index.ts'
import { integer, integersOf } from '../integers.ts'
import { checkedSize, joined, take, takeRows } from '../layout.ts'
import { int64, OUTPUTS, orderOf, requireInside, requireOrdered, type Sparse, sparseOf } from './coo.ts'

// Ops that move entries of a sparse tensor and compute nothing.

/**
 * After core/kernels/fill_empty_rows_functor.h. Entries come out row by row, so that rows out of order are put in order;
 * within a row they keep theirs.
 */
export const fillEmptyRows: Op = {
  outputs: ['output_indices', 'output_values', 'empty_row_indicator', 'reverse_index_map'],
  evaluate({ inputs: [indices, values, shape, fallback] }) {
    const { count, rank, shape: dims, indices: at } = sparseOf(indices, values, shape)
    if (rank === 0) throw new InvalidArgumentError('Dense shape cannot be empty.')
    if (fallback.shape.length !== 0) {
      throw new InvalidArgumentError(`default_value must be a scalar, saw: [${fallback.shape}]`)
    }
    const [rows] = dims
    if (rows === 0 && count > 0) {
      throw new InvalidArgumentError(`Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = ${count}`)
    }
    const empty = zeros('bool', rows).fill(1)
    /** Where each row's next entry goes. */
    const next = new Float64Array(rows)
    for (let i = 0; i < count; i++) {
      const row = at[i * rank]
      if (!(row >= 0 && row < rows)) {
        throw new InvalidArgumentError(`indices(${i}, 0) is invalid: ${row} >= ${rows}`)
      }
      empty[row] = 0
      next[row]++
    }
    let filled = 0
    for (let row = 0; row < rows; row++) {
      const length = Math.max(next[row], 1)
      next[row] = filled
      filled += length
    }
    const sources = new Float64Array(filled).fill(-1)
    const reverse = new Float64Array(count)
    const coordinates = new BigInt64Array(filled * rank)
    for (let row = 0; row < rows; row++) if (empty[row] === 1) coordinates[next[row] * rank] = BigInt(row)
    for (let i = 0; i < count; i++) {
      const to = next[at[i * rank]]++
      reverse[i] = to
      sources[to] = i
      for (let d = 0; d < rank; d++) coordinates[to * rank + d] = BigInt(at[i * rank + d])
    }
    return [
      { dtype: 'int64', shape: [filled, rank], data: coordinates },
      take(values, sources, [filled], fallback),
      { dtype: 'bool', shape: [rows], data: empty },
      int64([count], reverse),
    ]
  },
}

/** @throws {InvalidArgumentError} where the product does not fit int64 */
const product = (dims: readonly bigint[]): bigint =>
  dims.reduce((size, dim) => {
    if (size * dim < 2n ** 63n) return size * dim
    throw new InvalidArgumentError(`Encountered overflow when multiplying ${size} with ${dim}, result: -1`)
  }, 1n)

/** A shape of int64, which may be larger than any dense tensor. */
function dimensions(shape: Tensor, what: string): bigint[] {
  if (shape.dtype !== 'int64' || shape.shape.length !== 1) {
    throw new InvalidArgumentError(`${what} should be a vector of int64 but received shape [${shape.shape}]`)
  }
  return [...shape.data]
}

/** After core/kernels/reshape_util.cc. Coordinates are not checked against the shape. */
export const reshape: Op = {
  outputs: ['output_indices', 'output_shape'],
  evaluate({ inputs: [indices, shape, target] }) {
    if (indices.dtype !== 'int64' || indices.shape.length !== 2) {
      throw new InvalidArgumentError(`Input indices should be a matrix but received shape [${indices.shape}]`)
    }
    const from = dimensions(shape, 'Input shape')
    const [count, rank] = indices.shape
    if (rank !== from.length) {
      throw new InvalidArgumentError(`Input tensor rank must match input shape length. Got ${rank} and ${from.length}`)
    }
    if (from.some((dim) => dim < 0n)) throw new InvalidArgumentError(`Input shape [${from}] has a negative dimension`)
    const size = product(from)
    const to = reshaped(from, dimensions(target, 'Target shape'), size)
    if (count > 0 && (size === 0n || product(to) === 0n)) {
      throw new InvalidArgumentError(
        `Input tensor has ${count} non zero elements but input shape (${from}) or output shape (${to}) is empty`,
      )
    }
    const shapeTensor: Tensor = { dtype: 'int64', shape: [to.length], data: BigInt64Array.from(to) }
    if (String(from) === String(to)) return [indices, shapeTensor]
    const coordinates = new BigInt64Array(count * to.length)
    for (let i = 0; i < count; i++) {
      let position = 0n
      for (let d = 0; d < rank; d++) position = position * from[d] + indices.data[i * rank + d]
      for (let d = to.length - 1; d > 0; d--) {
        coordinates[i * to.length + d] = position % to[d]
        position /= to[d]
      }
      if (to.length > 0) coordinates[i * to.length] = position
    }
    return [{ dtype: 'int64', shape: [count, to.length], data: coordinates }, shapeTensor]
  },
}

/** `target` with its -1 worked out. */
function reshaped(from: readonly bigint[], target: readonly bigint[], size: bigint): bigint[] {
  const unknown = target.indexOf(-1n)
  if (unknown !== target.lastIndexOf(-1n)) {
    throw new InvalidArgumentError(
      `only one output dimension may be -1, not both ${unknown} and ${target.lastIndexOf(-1n)}`,
    )
  }
  const negative = target.find((dim) => dim < -1n)
  if (negative !== undefined) {
    throw new InvalidArgumentError(`size ${target.indexOf(negative)} must be non-negative, not ${negative}`)
  }
  const to = [...target]
  if (unknown >= 0) {
    const known = product(target.filter((dim) => dim !== -1n))
    if (known === 0n) {
      throw new InvalidArgumentError(
        'reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are non-zero',
      )
    }
    to[unknown] = size / known
  }
  if (product(to) !== size) {
    throw new InvalidArgumentError(
      `Input to reshape is a SparseTensor with ${size} dense values, but the requested shape has ${product(to)}. input_shape=[${from}] output_shape=[${to}]`,
    )
  }
  return to
}

/**
 * After core/kernels/sparse_to_dense_op.cc. With validate_indices coordinates must be sorted and unique; without, the
 * last of equal ones counts. Out of bounds is always refused.
 */
export const toDense: Op = {
  evaluate({ inputs: [indices, shape, values, fallback], attrs }) {
    if (indices.shape.length > 2) {
      throw new InvalidArgumentError(
        `sparse_indices should be a scalar, vector, or matrix, got shape [${indices.shape}]`,
      )
    }
    const count = indices.shape[0] ?? 1
    const rank = indices.shape[1] ?? 1
    if (shape.shape.length !== 1) {
      throw new InvalidArgumentError(`output_shape must be rank 1, got shape [${shape.shape}]`)
    }
    if (shape.shape[0] !== rank) {
      throw new InvalidArgumentError(
        `output_shape has incorrect number of elements: ${shape.shape[0]} should be: ${rank}`,
      )
    }
    const single = values.shape.length === 0
    if (!single && !(values.shape.length === 1 && values.shape[0] === count)) {
      throw new InvalidArgumentError(`sparse_values has incorrect shape [${values.shape}], should be [] or [${count}]`)
    }
    if (fallback.shape.length !== 0) throw new InvalidArgumentError('default_value should be a scalar.')
    const dims = integersOf(shape, 'output_shape')
    const size = checkedSize(dims, 'output_shape')
    const at = integersOf(indices, 'sparse_indices')
    const sparse: Sparse = {
      indices: at,
      values,
      shape: dims,
      count,
      rank,
      indicesTensor: indices,
      shapeTensor: shape,
    }
    if (attrs.boolean('validate_indices', true)) requireOrdered(sparse)
    else requireInside(sparse)
    const sources = new Float64Array(size).fill(-1)
    for (let i = 0; i < count; i++) {
      let position = 0
      for (let d = 0; d < rank; d++) position = position * dims[d] + at[i * rank + d]
      sources[position] = single ? 0 : i
    }
    return take(values, sources, dims, fallback)
  },
}

/** After core/kernels/sparse_reorder_op.cc: into row-major order. Equal coordinates keep their order. */
export const reorder: Op = {
  outputs: ['output_indices', 'output_values'],
  evaluate({ inputs: [indices, values, shape] }) {
    const sparse = sparseOf(indices, values, shape)
    requireInside(sparse)
    const order = orderOf(sparse)
    return [takeRows(indices, order), take(values, order, [sparse.count])]
  },
}

/** The entries of `sparse` within the box from `start` of `dims`, moved to its corner. */
function boxed({ indices, values, count, rank }: Sparse, start: readonly number[], dims: readonly number[]): Tensor[] {
  const kept: number[] = []
  const coordinates: number[] = []
  for (let i = 0; i < count; i++) {
    const inside = dims.every((dim, d) => {
      const index = indices[i * rank + d] - start[d]
      return index >= 0 && index < dim
    })
    if (!inside) continue
    kept.push(i)
    for (let d = 0; d < rank; d++) coordinates.push(indices[i * rank + d] - start[d])
  }
  return [int64([kept.length, rank], coordinates), take(values, kept, [kept.length]), int64([rank], dims)]
}

/** After core/kernels/sparse_slice_op.cc: a box that reaches past the shape is cut there, one that begins before it is not. */
export const slice: Op = {
  outputs: OUTPUTS,
  evaluate({ inputs: [indices, values, shape, start, size] }) {
    const sparse = sparseOf(indices, values, shape)
    const from = integersOf(start, 'start')
    const lengths = integersOf(size, 'size')
    if (start.shape.length !== 1 || from.length !== sparse.rank) {
      throw new InvalidArgumentError(`Expected start to be a vector of length ${sparse.rank} but got [${start.shape}]`)
    }
    if (size.shape.length !== 1 || lengths.length !== sparse.rank) {
      throw new InvalidArgumentError(`Expected size to be a vector of length ${sparse.rank} but got [${size.shape}]`)
    }
    const negative = lengths.find((length) => length < 0)
    if (negative !== undefined) throw new InvalidArgumentError(`Expected a non-negative size, got ${negative}`)
    const dims = sparse.shape.map((dim, d) => Math.max(0, Math.min(lengths[d], dim - from[d])))
    return boxed(sparse, from, dims)
  },
}

/** After core/kernels/sparse_split_op.cc: where the dimension does not divide, the first parts are one longer. */
export const split: Op = {
  outputs: (attrs) => OUTPUTS.map((name) => [name, attrs.number('num_split')] as const),
  evaluate(call) {
    const {
      inputs: [, indices, values, shape],
      attrs,
    } = call
    const parts = attrs.number('num_split')
    const sparse = sparseOf(indices, values, shape)
    const given = integer(call, 0, 'split_dim')
    const dimension = given < 0 ? given + sparse.rank : given
    if (!(dimension >= 0 && dimension < sparse.rank)) {
      throw new InvalidArgumentError(
        `Input split_dim should be between -rank (-${sparse.rank}) and rank (${sparse.rank}), got ${given}`,
      )
    }
    const length = sparse.shape[dimension]
    if (!(parts >= 1 && parts <= length)) {
      throw new InvalidArgumentError(
        `Input num_split should be between 1 and the splitting dimension size (${length}), got ${parts}`,
      )
    }
    requireInside(sparse)
    const results: Tensor[][] = []
    let from = 0
    for (let part = 0; part < parts; part++) {
      const size = Math.floor(length / parts) + (part < length % parts ? 1 : 0)
      const only = (value: number, other: (d: number) => number) =>
        sparse.shape.map((_, d) => (d === dimension ? value : other(d)))
      results.push(
        boxed(
          sparse,
          only(from, () => 0),
          only(size, (d) => sparse.shape[d]),
        ),
      )
      from += size
    }
    return [0, 1, 2].flatMap((output) => results.map((result) => result[output]))
  },
}

/** After core/kernels/sparse_concat_op.cc: the result is in row-major order whatever the inputs' orders are. */
export const concat: Op = {
  outputs: OUTPUTS,
  evaluate({ inputs, attrs }) {
    const n = attrs.number('N')
    const parts = Array.from({ length: n }, (_, i) => sparseOf(inputs[i], inputs[n + i], inputs[2 * n + i]))
    const [{ rank, shape }] = parts
    const given = attrs.number('concat_dim')
    const dimension = given < 0 ? given + rank : given
    if (!(dimension >= 0 && dimension < rank)) {
      throw new InvalidArgumentError(`Concat dimension must be in range [-${rank}, ${rank}), got ${given}`)
    }
    const dims = [...shape]
    const coordinates = new Float64Array(parts.reduce((size, part) => size + part.indices.length, 0))
    let from = 0
    let written = 0
    parts.forEach((part, p) => {
      if (part.rank !== rank) {
        throw new InvalidArgumentError(`Ranks of all input tensors must match: expected ${rank} but got ${part.rank}`)
      }
      part.shape.forEach((dim, d) => {
        if (d !== dimension && dim !== dims[d]) {
          throw new InvalidArgumentError(
            `Input shapes must match: expected ${dims[d]} for dimension ${d} but got ${dim} at position ${p}`,
          )
        }
      })
      for (let i = 0; i < part.indices.length; i++) {
        coordinates[written++] = part.indices[i] + (i % rank === dimension ? from : 0)
      }
      from += part.shape[dimension]
    })
    dims[dimension] = from
    const count = parts.reduce((sum, part) => sum + part.count, 0)
    const order = orderOf({ indices: coordinates, count, rank })
    return [
      takeRows(int64([count, rank], coordinates), order),
      take(joined(parts.map((part) => part.values)), order, [count]),
      int64([rank], dims),
    ]
  },
}
