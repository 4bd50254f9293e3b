import { InvalidArgumentError } from '../errors.ts'
import type { Call, Dim } from '../graph/index.ts'
import {
  isComplex,
  isNumeric,
  partOf,
  type ReadDType,
  Strings,
  sizeOf,
  type Tensor,
  type TensorOf,
  zeros,
} from '../tensor/index.ts'

import { isComplexTensor } from './complexnumbers.ts'
import { integersOf } from './integers.ts'
import { checkedSize, joined, take } from './layout.ts'

/** What is known of a shape; null where not even the rank is. */
export type PartialShape = readonly Dim[] | null

/** Most elements of a list: what a damaged model asks for beyond would only fill memory. */
export const MOST = 2 ** 26

/**
 * The payload of a list's variant tensor (core/kernels/tensor_list.h). Immutable: ops that change a list make another,
 * which shares the elements. An element that was never set is undefined; read, it is zeros of the element shape.
 */
export class TensorList {
  readonly dtype: ReadDType
  readonly shape: PartialShape
  /** The elements one after another, where the list was made of one tensor. */
  readonly whole: Tensor | null
  private elements: readonly (Tensor | undefined)[] | null
  /** How many elements may be pushed; -1 for any number. */
  readonly capacity: number

  /** @param content the elements, or one tensor of them along its first dimension */
  constructor(dtype: ReadDType, shape: PartialShape, content: readonly (Tensor | undefined)[] | Tensor, capacity = -1) {
    const isWhole = 'dtype' in content
    const length = isWhole ? content.shape[0] : content.length
    if (length > MOST) throw new InvalidArgumentError(`a list of ${length} elements is too long`)
    this.dtype = dtype
    this.shape = shape
    this.whole = isWhole ? content : null
    this.elements = isWhole ? null : content
    this.capacity = capacity
  }

  /** Cut out of the whole when they are first asked for: a loop's kernel never does. */
  get tensors(): readonly (Tensor | undefined)[] {
    this.elements ??= this.whole === null ? [] : slices(this.whole)
    return this.elements
  }

  get length(): number {
    return this.whole === null ? this.tensors.length : this.whole.shape[0]
  }

  /** This list with other elements. */
  with(tensors: readonly (Tensor | undefined)[]): TensorList {
    return new TensorList(this.dtype, this.shape, tensors, this.capacity)
  }

  /** The scalar variant that holds this list. */
  handle(): TensorOf<'variant'> {
    return { dtype: 'variant', shape: [], data: [this] }
  }
}

/** `tensor` as its slices along the first dimension. */
export function slices(tensor: Tensor): Tensor[] {
  const [count, ...inner] = tensor.shape
  return Array.from({ length: count }, (_, i) => cut(tensor, i, i + 1, inner))
}

/** The slice of `tensor` from `start` to `end` along its first dimension, of shape `shape`. */
export function cut(tensor: Tensor, start: number, end: number, shape: readonly number[]): Tensor {
  const width = sizeOf(tensor.shape.slice(1)) * (isComplex(tensor.dtype) ? 2 : 1)
  if (isNumeric(tensor) || isComplexTensor(tensor))
    return { ...tensor, shape, data: tensor.data.subarray(start * width, end * width) } as Tensor
  const elements = Float64Array.from({ length: (end - start) * width }, (_, i) => start * width + i)
  return take(tensor, elements, shape)
}

/** All `elements`, one after the other, in `shape`; complex numbers as the pairs of numbers that they are. */
export function joinedElements(elements: readonly Tensor[], shape: readonly number[]): Tensor {
  const { dtype } = elements[0]
  const pairs = elements.map((t) => (isComplexTensor(t) ? { ...t, dtype: partOf(t.dtype), shape: [...t.shape, 2] } : t))
  return { ...joined(pairs as Tensor[]), dtype, shape } as Tensor
}

/** The list in `handle`, whose elements must be of `dtype` where that is given. */
export function listOf(handle: Tensor, dtype?: ReadDType): TensorList {
  if (handle.dtype !== 'variant' || handle.shape.length !== 0) {
    throw new InvalidArgumentError(`Input list must be a scalar saw: ${handle.dtype}[${handle.shape}]`)
  }
  const [list] = handle.data
  if (!(list instanceof TensorList)) throw new InvalidArgumentError('Input handle is not a list.')
  if (dtype !== undefined && dtype !== list.dtype) {
    throw new InvalidArgumentError(`Invalid data types; op elements ${dtype} but list elements ${list.dtype}`)
  }
  return list
}

/** The dtype that a node says the elements have. */
export const elementDType = ({ attrs }: Call): ReadDType => attrs.dtype('element_dtype')

/** The element shape that an input holds: a scalar -1 for no rank, else dimensions of which -1 is unknown. */
export function partialShapeOf(tensor: Tensor): PartialShape {
  const dims = integersOf(tensor, 'element_shape')
  if (tensor.shape.length > 1) {
    throw new InvalidArgumentError(`element_shape must be at most rank 1 but has the shape of [${tensor.shape}]`)
  }
  if (tensor.shape.length === 0) {
    if (dims[0] !== -1) {
      throw new InvalidArgumentError('The only valid scalar shape tensor is the fully unknown shape specified as -1.')
    }
    return null
  }
  return dims.map((dim) => {
    if (dim < -1) throw new InvalidArgumentError(`Dimension ${dim} must be >= -1`)
    return dim === -1 ? null : dim
  })
}

/** For messages. */
export const show = (shape: PartialShape): string =>
  shape === null ? '<unknown>' : `[${shape.map((dim) => dim ?? '?').join(',')}]`

/** What both say together. */
export function merge(a: PartialShape, b: PartialShape): PartialShape {
  if (a === null || b === null) return a ?? b
  if (!compatible(a, b)) throw new InvalidArgumentError(`Incompatible shapes during merge: ${show(a)} vs. ${show(b)}`)
  return a.map((dim, d) => dim ?? b[d])
}

export const compatible = (a: PartialShape, b: PartialShape): boolean =>
  a === null ||
  b === null ||
  (a.length === b.length && a.every((dim, d) => dim === null || b[d] === null || dim === b[d]))

/** `shape` where every dimension is known, else null. */
export const definite = (shape: PartialShape): readonly number[] | null =>
  shape?.every((dim) => dim !== null) ? shape : null

/** Zeros, or empty strings, for an element that was never set. */
export function blank(dtype: ReadDType, shape: readonly number[]): Tensor {
  const size = checkedSize(shape, 'element shape')
  if (dtype === 'string') return { dtype, shape, data: new Strings(new Uint8Array(0), new Uint32Array(size + 1)) }
  if (dtype === 'resource' || dtype === 'variant') {
    if (size === 0) return { dtype, shape, data: [] }
    throw new InvalidArgumentError(`an element of ${dtype} was read before it was set`)
  }
  return { dtype, shape, data: zeros(partOf(dtype), isComplex(dtype) ? 2 * size : size) } as Tensor
}
