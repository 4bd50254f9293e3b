import { InvalidArgumentError } from '../../errors.ts'
import type { DType, Strings, Tensor } from '../../tensor/index.ts'
import { show } from './request.ts'

// What the parsers' kernels are given and give back, whichever proto they read.

export const int64 = (shape: readonly number[], data: BigInt64Array): Tensor => ({ dtype: 'int64', shape, data })

/** Row splits of the type that the node asks for. */
export function splitsTensor(dtype: DType, splits: readonly number[]): Tensor {
  if (dtype === 'int64') return int64([splits.length], BigInt64Array.from(splits, BigInt))
  if (dtype === 'int32') return { dtype, shape: [splits.length], data: Int32Array.from(splits) }
  throw new InvalidArgumentError(`Invalid ragged_split_type: ${dtype}`)
}

export function stringsOf(tensor: Tensor, what: string): Strings {
  if (tensor.dtype !== 'string') throw new TypeError(`${what} must be strings, got ${tensor.dtype}`)
  return tensor.data
}

export const elements = (tensor: Tensor, what: string): Uint8Array[] => {
  const strings = stringsOf(tensor, what)
  return Array.from({ length: strings.length }, (_, i) => strings.at(i))
}

/** The strings of `names`, which are for messages only. */
export function namesOf(names: Tensor, serialized: Tensor): Strings {
  if (names.data.length > 0 && show(names.shape) !== show(serialized.shape)) {
    throw new InvalidArgumentError(
      `Expected names have the same shape as serialized: name.shape=${show(names.shape)}, serialized.shape=${show(serialized.shape)}`,
    )
  }
  return stringsOf(names, 'names')
}
