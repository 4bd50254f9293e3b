import { InvalidArgumentError } from '../../errors.ts'
import type { Tensor } from '../../tensor/index.ts'
import { integersOf, integerTensor } from '../integers.ts'

/** A sparse tensor in coordinate form, as SparseTensor's three tensors hold it. */
export interface Sparse {
  /** Row-major [count, rank]. */
  readonly indices: ArrayLike<number>
  readonly values: Tensor
  readonly shape: readonly number[]
  readonly count: number
  readonly rank: number
  /** The tensors that it was read from, whose int64 are exact. */
  readonly indicesTensor: Tensor
  readonly shapeTensor: Tensor
}

/**
 * Reads indices, values and dense shape; values may be absent from ops that do not take them.
 * @throws {InvalidArgumentError} where their shapes do not go together
 */
export function sparseOf(indices: Tensor, values: Tensor, shape: Tensor): Sparse {
  const [count, rank] = indices.shape
  if (indices.shape.length !== 2) {
    throw new InvalidArgumentError(`Input indices should be a matrix but received shape [${indices.shape}]`)
  }
  if (values.shape.length !== 1) {
    throw new InvalidArgumentError(`Input values should be a vector but received shape [${values.shape}]`)
  }
  if (shape.shape.length !== 1) {
    throw new InvalidArgumentError(`Input shape should be a vector but received shape [${shape.shape}]`)
  }
  if (values.shape[0] !== count) {
    throw new InvalidArgumentError(
      `Number of elements in values [${values.shape}] does not match number of elements in indices ${count}`,
    )
  }
  if (shape.shape[0] !== rank) {
    throw new InvalidArgumentError(`Index rank (${rank}) and shape rank (${shape.shape[0]}) do not match.`)
  }
  const dims = integersOf(shape, 'shape')
  if (dims.some((dim) => dim < 0)) throw new InvalidArgumentError(`Dense shape [${dims}] has a negative dimension`)
  return {
    indices: integersOf(indices, 'indices'),
    values,
    shape: dims,
    count,
    rank,
    indicesTensor: indices,
    shapeTensor: shape,
  }
}

/** Negative, zero or positive as the coordinates of entry `i` of `a` come before, with or after those of `j` of `b`. */
export function compareCoordinates(
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  rank: number,
): number {
  for (let d = 0; d < rank; d++) {
    const order = a[i * rank + d] - b[j * rank + d]
    if (order !== 0) return order
  }
  return 0
}

/** The entries in the lexicographic order of their coordinates; equal ones keep theirs. */
export function orderOf({ indices, count, rank }: Pick<Sparse, 'indices' | 'count' | 'rank'>): Float64Array {
  const order = Float64Array.from({ length: count }, (_, i) => i)
  return order.sort((i, j) => compareCoordinates(indices, i, indices, j, rank) || i - j)
}

const coordinates = (indices: ArrayLike<number>, i: number, rank: number): number[] =>
  Array.from({ length: rank }, (_, d) => indices[i * rank + d])

/** @throws {InvalidArgumentError} where a coordinate lies outside of the shape */
export function requireInside({ indices, shape, rank, count }: Sparse): void {
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < rank; d++) {
      const index = indices[i * rank + d]
      if (!(index >= 0 && index < shape[d])) {
        throw new InvalidArgumentError(
          `indices[${i}] = [${coordinates(indices, i, rank)}] is out of bounds: need 0 <= index < [${shape}]`,
        )
      }
    }
  }
}

/** @throws {InvalidArgumentError} where coordinates are out of bounds, out of order or repeated, as IndicesValid does */
export function requireOrdered(sparse: Sparse): void {
  requireInside(sparse)
  const { indices, rank, count } = sparse
  for (let i = 1; i < count; i++) {
    const order = compareCoordinates(indices, i - 1, indices, i, rank)
    const at = coordinates(indices, i, rank)
    if (order > 0) throw new InvalidArgumentError(`indices[${i}] = [${at}] is out of order.`)
    if (order === 0) throw new InvalidArgumentError(`indices[${i}] = [${at}] is repeated`)
  }
}

/** An int64 tensor of `values`. */
export const int64 = (shape: readonly number[], values: ArrayLike<number>): Tensor =>
  integerTensor('int64', shape, values)

/** The outputs' names of most sparse ops. */
export const OUTPUTS = ['output_indices', 'output_values', 'output_shape'] as const
