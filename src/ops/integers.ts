import { InvalidArgumentError } from '../errors.ts'
import type { Call } from '../graph/index.ts'
import { type DType, int64From, numbersOf, type Tensor } from '../tensor/index.ts'

/**
 * The elements of an int32 or int64 tensor that says where or how much: shapes, axes, indices. Numbers are exact within
 * 2^53; no dimension reaches there, so what lies past it is out of range whatever it is.
 */
export function integersOf(t: Tensor, what: string): number[] {
  const places = placesOf(t, what)
  const values = new Array<number>(places.length)
  for (let i = 0; i < values.length; i++) values[i] = places[i]
  return values
}

/** As `integersOf`, without a copy where there is none to make: for the many indices of a batch. */
export function placesOf(t: Tensor, what = 'the indices'): Int16Array | Int32Array | Float64Array {
  // int16 is what few ops allow: gathers.
  if (t.dtype === 'int32' || t.dtype === 'int16') return t.data
  if (t.dtype !== 'int64') throw new TypeError(`${what} must be int32 or int64, got ${t.dtype}`)
  return numbersOf(t.data)
}

/** Input `i` as integers, whatever its shape. */
export const integers = (call: Call, i: number, what: string): number[] => integersOf(call.inputs[i], what)

/** Input `i`, which must be a vector, as integers. */
export function integerVector(call: Call, i: number, what: string): number[] {
  const { shape } = call.inputs[i]
  if (shape.length !== 1) throw new InvalidArgumentError(`${what} must be a vector, got shape [${shape}]`)
  return integers(call, i, what)
}

/** Input `i`, which must be a scalar, as an integer. */
export function integer(call: Call, i: number, what: string): number {
  const { shape } = call.inputs[i]
  if (shape.length !== 0) throw new InvalidArgumentError(`${what} must be a scalar, got shape [${shape}]`)
  return placesOf(call.inputs[i], what)[0]
}

/** An int32 or int64 tensor of `values`. */
export function integerTensor(dtype: DType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  if (dtype === 'int32') return { dtype, shape, data: new Int32Array(values) }
  if (dtype === 'int64') return { dtype, shape, data: int64From(values) }
  throw new TypeError(`dtype must be int32 or int64, got ${dtype}`)
}
