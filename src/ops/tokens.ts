import { InvalidArgumentError } from '../errors.ts'
import type { Call } from '../graph/index.ts'
import { int64From, type Strings, type StringsBuilder, type Tensor, tensor } from '../tensor/index.ts'
import { text } from './strings.ts'

// What tokenizers answer: tokens of all rows one after the other, their places, and row splits.

export const int64 = (values: readonly number[]): Tensor => tensor('int64', [values.length], int64From(values))
export const int32 = (values: readonly number[]): Tensor => tensor('int32', [values.length], Int32Array.from(values))
export const strings = (builder: StringsBuilder): Tensor => tensor('string', [builder.length], builder.finish())

/** Input `i`, which must be a vector of strings. */
export function texts(call: Call, i: number): Strings {
  const input = text(call, i)
  if (input.shape.length !== 1)
    throw new InvalidArgumentError(`input ${i} must have rank 1, got shape [${input.shape}]`)
  return input.data
}

/** @throws {InvalidArgumentError} unless `splits` rise and stay within `count` */
export function checkSplits(splits: readonly number[], count: number): void {
  const rising = splits.every((split, i) => split >= (i === 0 ? 0 : splits[i - 1]) && split <= count)
  if (splits.length === 0 || !rising)
    throw new InvalidArgumentError(`row splits must rise within 0 and ${count}, got [${splits}]`)
}
