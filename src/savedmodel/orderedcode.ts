// The keys under which a checkpoint keeps the slices of a partitioned tensor: checkpoint::EncodeTensorNameSlice of
// tensorflow/core/util/saved_tensor_slice_util.cc, in the encoding of tensorflow/core/lib/strings/ordered_code.cc,
// whose bytes sort as the values do.

import type { Extent } from './slices.ts'

/** The key of the slice `extents` of tensor `name`: 0, the name, the rank, then start and length of each dimension. */
export function sliceKey(name: string, extents: readonly Extent[]): Uint8Array {
  const key = [...unsigned(0), ...text(new TextEncoder().encode(name)), ...unsigned(extents.length)]
  for (const { start, length } of extents) key.push(...signed(start), ...signed(length ?? -1))
  return Uint8Array.from(key)
}

/** WriteNumIncreasing: the number of bytes, then the big-endian bytes without leading zeros. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [bytes.length, ...bytes]
}

/** WriteString: 00 becomes 00 FF and FF becomes FF 00; 00 01 ends it. */
function text(bytes: Uint8Array): number[] {
  const code: number[] = []
  for (const byte of bytes) {
    code.push(byte)
    if (byte === 0) code.push(0xff)
    if (byte === 0xff) code.push(0)
  }
  return [...code, 0, 1]
}

/**
 * WriteSignedNumIncreasing: two's complement in the fewest bytes that leave n + 1 bits free in n bytes; the free bits
 * are filled with n ones and a zero for a positive value, and inverted for a negative one.
 */
function signed(value: number): number[] {
  const wide = BigInt(value)
  const magnitude = wide < 0n ? ~wide : wide
  let length = 1
  while (magnitude >> BigInt(7 * length - 1) > 0n) length++
  // n ones at the top of n bytes, over the sign bits: exclusive or inverts them for a negative value.
  const ones = ((1n << BigInt(length)) - 1n) << BigInt(7 * length)
  const code = BigInt.asUintN(8 * length, wide) ^ ones
  return Array.from({ length }, (_, i) => Number((code >> BigInt(8 * (length - 1 - i))) & 0xffn))
}
