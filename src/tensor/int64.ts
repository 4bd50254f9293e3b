// 64-bit integers as pairs of 32-bit halves, little-endian as every runtime's memory is: a BigInt is an object made for
// each element, a pair of numbers is not.

import { zeros } from './tensor.ts'

/** The halves of `data`, low before high; a view of the same memory. */
export const halvesOf = (data: BigInt64Array | BigUint64Array): Int32Array =>
  new Int32Array(data.buffer, data.byteOffset, data.length * 2)

/** The values of `data` as doubles: exact within 2^53, past it rounded. */
export function numbersOf(data: BigInt64Array): Float64Array {
  const halves = halvesOf(data)
  const numbers = zeros('float64', data.length)
  for (let i = 0; i < numbers.length; i++) numbers[i] = halves[2 * i + 1] * 2 ** 32 + (halves[2 * i] >>> 0)
  return numbers
}

/** int64 of whole numbers within 2^53. */
export function int64From(values: ArrayLike<number>): BigInt64Array {
  const data = zeros('int64', values.length)
  const halves = halvesOf(data)
  for (let i = 0; i < values.length; i++) {
    halves[2 * i] = values[i]
    halves[2 * i + 1] = Math.floor(values[i] / 2 ** 32)
  }
  return data
}
