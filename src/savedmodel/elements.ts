import {
  ARRAYS,
  type ArrayDType,
  BYTES,
  type ComplexDType,
  type DataOf,
  fromBfloat16,
  fromFloat16,
  isHalf,
  partOf,
  type Shape,
  Strings,
  type Tensor,
  zeros,
} from '../tensor/index.ts'
import type { Cursor } from './cursor.ts'

/** What the 32-bit offsets of a string tensor reach. */
const MOST_STRING_BYTES = 2 ** 32 - 1

/** The dtypes that lie as bytes one behind the other. */
export type StoredDType = ArrayDType | ComplexDType

/**
 * The elements that lie in `bytes`, little-endian, as in a checkpoint's data and in tensor_content. A view where
 * possible: the caller gives the bytes away. Every non-zero bool is 1.
 * @param bytes a whole number of elements
 */
export function elementsOf<D extends StoredDType>(dtype: D, bytes: Uint8Array): DataOf[D] {
  return decode(partOf(dtype), bytes) as DataOf[D]
}

function decode(dtype: ArrayDType, bytes: Uint8Array): DataOf[ArrayDType] {
  const aligned = bytes.byteOffset % BYTES[dtype] === 0 ? bytes : new Uint8Array(bytes)
  const count = bytes.length / BYTES[dtype]
  if (isHalf(dtype)) {
    return widen(dtype, new Uint16Array(aligned.buffer, aligned.byteOffset, count))
  }
  if (dtype === 'bool') return Uint8Array.from(aligned, (byte) => (byte === 0 ? 0 : 1))
  return new ARRAYS[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, count)
}

/** The values of 16-bit patterns; only the low 16 bits of each are looked at. */
export function widen(dtype: 'float16' | 'bfloat16', patterns: ArrayLike<number>): Float32Array {
  const value = dtype === 'float16' ? fromFloat16 : fromBfloat16
  const values = zeros(dtype, patterns.length)
  for (let i = 0; i < values.length; i++) values[i] = value(patterns[i] & 0xffff)
  return values
}

/** A tensor whose `data` was made for `dtype` and is as long as `shape` says, which the callers here have checked. */
export function tensorFrom<D extends Tensor['dtype']>(dtype: D, shape: Shape, data: DataOf[D]): Tensor {
  return { dtype, shape, data } as Tensor
}

/** The `count` varint lengths that come before the bytes of strings. Each takes a byte, so `count` is bounded first. */
export function stringLengths(cursor: Cursor, count: number, failure: (problem: string) => Error): number[] {
  if (count > cursor.left) throw failure(`${count} strings cannot lie in ${cursor.left} bytes`)
  return Array.from({ length: count }, () => cursor.varint())
}

/** The strings of `lengths`, which lie one after the other and take all of `bytes`. */
export function stringsOf(bytes: Uint8Array, lengths: readonly number[], failure: (problem: string) => Error): Strings {
  const total = lengths.reduce((sum, length) => sum + length, 0)
  if (total !== bytes.length) throw failure(`its strings take ${total} bytes, ${bytes.length} are there`)
  if (total > MOST_STRING_BYTES) throw failure(`its strings take ${total} bytes; at most ${MOST_STRING_BYTES} are read`)
  const offsets = new Uint32Array(lengths.length + 1)
  for (let i = 0; i < lengths.length; i++) offsets[i + 1] = offsets[i] + lengths[i]
  return new Strings(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), offsets)
}
