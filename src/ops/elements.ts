import { InvalidArgumentError } from '../errors.ts'
import {
  type BigArray,
  isBig,
  type NumberArray,
  type Shape,
  StringsBuilder,
  sizeOf,
  type Tensor,
  type TensorOf,
  zeros,
} from '../tensor/index.ts'

/**
 * The elements `indices` of `from`, in that order, as a tensor of `shape`; where an index is -1, the first element of
 * `fallback`. Any dtype.
 */
export function pick(from: Tensor, indices: ArrayLike<number>, shape: Shape, fallback: Tensor = from): Tensor {
  const { length } = indices
  if (from.dtype === 'string') {
    const padding = (fallback as typeof from).data
    const builder = new StringsBuilder(length)
    for (let i = 0; i < length; i++) builder.push(indices[i] < 0 ? padding.at(0) : from.data.at(indices[i]))
    return { dtype: 'string', shape, data: builder.finish() }
  }
  if (from.dtype === 'resource' || from.dtype === 'variant') {
    const padding = fallback.data as readonly unknown[]
    const data = Array.from(indices, (index) => (index < 0 ? padding[0] : from.data[index]))
    return { dtype: from.dtype, shape, data }
  }
  const data = zeros(from.dtype, length)
  if (isBig(from.dtype)) fillFrom(data as BigArray, from.data as BigArray, indices, fallback.data as BigArray)
  else fillFrom(data as NumberArray, from.data as NumberArray, indices, fallback.data as NumberArray)
  return { dtype: from.dtype, shape, data } as Tensor
}

interface Elements<T> {
  [index: number]: T
}

function fillFrom<T>(to: Elements<T>, from: Elements<T>, indices: ArrayLike<number>, padding: Elements<T>): void {
  for (let i = 0; i < indices.length; i++) to[i] = indices[i] < 0 ? padding[0] : from[indices[i]]
}

/** The slices `rows` of `from` along its first dimension, in that order. */
export function pickRows(from: Tensor, rows: ArrayLike<number>): Tensor {
  const inner = from.shape.slice(1)
  const width = sizeOf(inner)
  const elements = new Float64Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) for (let j = 0; j < width; j++) elements[i * width + j] = rows[i] * width + j
  return pick(from, elements, [rows.length, ...inner])
}

/** The elements of all `parts`, one after the other, as a vector; all are of one dtype. */
export function join(parts: readonly Tensor[]): Tensor {
  const [{ dtype }] = parts
  const size = parts.reduce((sum, part) => sum + part.data.length, 0)
  if (dtype === 'string') {
    const builder = new StringsBuilder(size)
    for (const part of parts as readonly TensorOf<'string'>[]) {
      for (let i = 0; i < part.data.length; i++) builder.push(part.data.at(i))
    }
    return { dtype, shape: [size], data: builder.finish() }
  }
  if (dtype === 'resource' || dtype === 'variant') {
    return { dtype, shape: [size], data: parts.flatMap((part) => [...(part.data as readonly unknown[])]) }
  }
  const data = zeros(dtype, size)
  let at = 0
  for (const part of parts) {
    const { length } = part.data
    if (isBig(dtype)) fillRange(data as BigArray, at, part.data as BigArray, length)
    else fillRange(data as NumberArray, at, part.data as NumberArray, length)
    at += length
  }
  return { dtype, shape: [size], data } as Tensor
}

function fillRange<T>(to: Elements<T>, at: number, from: Elements<T>, length: number): void {
  for (let i = 0; i < length; i++) to[at + i] = from[i]
}

/** How many elements a tensor of `dims` has, refused before anything of that size is made. */
export function checkedSize(dims: Shape, what: string): number {
  const size = sizeOf(dims)
  if (!dims.every((dim) => dim >= 0)) throw new InvalidArgumentError(`${what} [${dims}] has a negative dimension`)
  if (!(size < 2 ** 31)) throw new InvalidArgumentError(`${what} [${dims}] is too large`)
  return size
}
