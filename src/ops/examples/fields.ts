import { concatBytes } from '../../tensor/index.ts'

// Fields of a protobuf message as they are written; wire.ts reads them.

/** The wire types of numbers that take as many bytes as they need, of what has its length before it, and of four bytes. */
export const [VARINT, DELIMITED, FIXED32] = [0, 2, 5]

/** A field's tag, which takes one byte for the numbers below 16 that tf.Example has. */
export const tag = (field: number, wire: number): Uint8Array => Uint8Array.of((field << 3) | wire)

/** 64 bits, seven a byte, the lowest first. */
export function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.of(...bytes, Number(rest))
}

/** A field of bytes: a string, a message, or packed numbers. */
export const delimited = (field: number, bytes: Uint8Array): Uint8Array =>
  concatBytes([tag(field, DELIMITED), varint(BigInt(bytes.length)), bytes])
