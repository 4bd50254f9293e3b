import { InvalidArgumentError } from '../../errors.ts'
import type { Tensor } from '../../tensor/index.ts'
import { integersOf } from '../integers.ts'

/**
 * Row splits as numbers, checked as RaggedTensorVerifySplits in core/kernels/ragged_utils.h does.
 * @param values how many rows or values they divide; undefined where that is not known
 */
export function splitsOf(tensor: Tensor, values?: number): number[] {
  const splits = integersOf(tensor, 'row splits')
  if (tensor.shape.length !== 1 || splits.length === 0) {
    throw new InvalidArgumentError(`Invalid ragged splits: must be a non-empty vector, got shape [${tensor.shape}]`)
  }
  if (splits[0] !== 0) throw new InvalidArgumentError('Invalid ragged splits: first element of ragged splits must be 0')
  splits.forEach((split, i) => {
    if (i > 0 && split < splits[i - 1]) {
      throw new InvalidArgumentError('Invalid ragged splits: ragged splits must be monotonically increasing')
    }
  })
  const last = splits[splits.length - 1]
  if (values !== undefined && last !== values) {
    throw new InvalidArgumentError(
      `Invalid ragged splits: last element of ragged splits must be the number of values: ${last} instead of ${values}`,
    )
  }
  return splits
}

/** The nested splits of a ragged tensor, each checked against the next, the last against its values. */
export function nestedSplits(tensors: readonly Tensor[], values: Tensor): number[][] {
  if (values.shape.length === 0) throw new InvalidArgumentError('flat values must have rank > 0')
  return tensors.map((tensor, d) =>
    splitsOf(tensor, d + 1 < tensors.length ? tensors[d + 1].data.length - 1 : values.shape[0]),
  )
}
