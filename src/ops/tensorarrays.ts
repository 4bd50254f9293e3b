import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { describe, type ReadDType, scalar, type Tensor, tensor } from '../tensor/index.ts'
import { integer, integers, integersOf } from './integers.ts'
import { reshaped } from './layout.ts'
import { concatenate } from './slices.ts'
import { cut } from './splits.ts'
import { blank, compatible, definite, MOST, merge, type PartialShape, show, slices } from './tensorlist.ts'

// TF1's TensorArray (kernels/tensor_array.h, tensor_array_ops.cc): what loops by frames write their rounds' results to.
// Its handle is a resource of one run; the float "flow" only orders the ops.

export interface TensorArray {
  readonly kind: 'tensor array'
  readonly dtype: ReadDType
  /** Null for one that was read and is not to be read again. */
  readonly elements: (Tensor | null | undefined)[]
  readonly grows: boolean
  readonly clears: boolean
  /** Every element has the shape of the first. */
  readonly alike: boolean
  shape: PartialShape
}

/** The array of a handle; null where it is another thing's. */
export function arrayIn(held: Tensor): TensorArray | null {
  const array = held.dtype === 'resource' ? (held.data[0] as TensorArray | undefined) : undefined
  return array?.kind === 'tensor array' ? array : null
}

function arrayOf({ inputs: [held], attrs }: Call): TensorArray {
  const array = arrayIn(held)
  if (array === null) throw new TypeError(`input 0 must be a TensorArray, got ${describe(held)}`)
  const dtype = attrs.has('dtype') ? attrs.dtype('dtype') : array.dtype
  if (dtype !== array.dtype)
    throw new InvalidArgumentError(`TensorArray dtype is ${array.dtype} but Op requested dtype ${dtype}.`)
  return array
}

const FLOW = scalar('float32', 0)

/** Sets an element that was not set. @throws {InvalidArgumentError} where it was, or does not fit */
export function store(array: TensorArray, index: number, value: Tensor): void {
  const { elements } = array
  if (index < 0 || (index >= elements.length && !array.grows) || index >= MOST) {
    throw new InvalidArgumentError(
      `Tried to write to index ${index} but array is not resizeable and size is: ${elements.length}`,
    )
  }
  if (value.dtype !== array.dtype)
    throw new InvalidArgumentError(
      `TensorArray dtype is ${array.dtype} but Op is trying to write dtype ${value.dtype}.`,
    )
  if (!compatible(array.shape, value.shape)) {
    throw new InvalidArgumentError(
      `Could not write to TensorArray index ${index} because the value shape is [${value.shape}] which is incompatible with the TensorArray's inferred element shape: ${show(array.shape)}`,
    )
  }
  if (elements[index] !== undefined)
    throw new InvalidArgumentError(
      `Could not write to TensorArray index ${index} because it has already been written to.`,
    )
  if (array.alike) array.shape = value.shape
  // Those in between, which were not written yet.
  while (elements.length < index) elements.push(undefined)
  elements[index] = value
}

/** Whether floats of a shape may be stored in so many elements from the first on. */
export function isFree(array: TensorArray, first: number, count: number, shape: readonly number[]): boolean {
  const { elements, grows } = array
  if (array.dtype !== 'float32' || first < 0 || !compatible(array.shape, shape)) return false
  const end = first + count
  return end <= (grows ? MOST : elements.length) && elements.slice(first, end).every((element) => element === undefined)
}

/** After so many elements, which are there, were read. */
export function clear({ clears, elements }: TensorArray, first: number, count: number): void {
  if (clears) elements.fill(null, first, first + count)
}

/** The element at `index`; one that was never written is zeros, where the elements' shape is known. */
function read(array: TensorArray, index: number): Tensor {
  const { elements, dtype } = array
  if (index < 0 || index >= elements.length) {
    throw new InvalidArgumentError(`Tried to read from index ${index} but array size is: ${elements.length}`)
  }
  const value = elements[index]
  if (value === null)
    throw new InvalidArgumentError(
      `Could not read index ${index} twice because it was cleared after a previous read (perhaps try setting clear_after_read = false?).`,
    )
  if (value !== undefined) {
    if (array.clears) elements[index] = null
    return value
  }
  const shape = definite(array.shape)
  if (shape === null || dtype === 'string') {
    throw new InvalidArgumentError(
      `Could not read index ${index} of the TensorArray, because it was not written, and its elements' shape is ${show(array.shape)}`,
    )
  }
  return blank(dtype, shape)
}

const create: Op = {
  outputs: ['handle', 'flow'],
  stateful: true,
  evaluate({ inputs: [sizes], attrs }) {
    const [size] = integersOf(sizes, 'size')
    if (sizes.shape.length > 0 || size < 0 || size > MOST)
      throw new InvalidArgumentError(`Size should be >= 0, and a scalar: got ${describe(sizes)} of ${size}`)
    const array: TensorArray = {
      kind: 'tensor array',
      dtype: attrs.dtype('dtype'),
      elements: new Array<Tensor | undefined>(size).fill(undefined),
      grows: attrs.boolean('dynamic_size', false),
      clears: attrs.boolean('clear_after_read', true),
      alike: attrs.boolean('identical_element_shapes', false),
      shape: attrs.shape('element_shape'),
    }
    return [{ dtype: 'resource', shape: [], data: [array] }, FLOW]
  },
}

const writeOne: Op = {
  stateful: true,
  evaluate(call) {
    store(arrayOf(call), integer(call, 1, 'index'), call.inputs[2])
    return FLOW
  },
}

const scatter: Op = {
  stateful: true,
  evaluate(call) {
    const array = arrayOf(call)
    const value = call.inputs[2]
    const indices = integers(call, 1, 'indices')
    if (value.shape.length === 0 || value.shape[0] !== indices.length) {
      throw new InvalidArgumentError(
        `Expected len(indices) == values.shape[0], but saw: ${indices.length} vs. [${value.shape}]`,
      )
    }
    for (const [i, row] of slices(value).entries()) store(array, indices[i], row)
    return FLOW
  },
}

/** The rows of `value`, by turns as many as `lengths` says, as elements from the first one on. */
const split: Op = {
  stateful: true,
  evaluate(call) {
    const array = arrayOf(call)
    const value = call.inputs[1]
    const lengths = integers(call, 2, 'lengths')
    const total = lengths.reduce((sum, length) => sum + length, 0)
    if (value.shape.length === 0 || lengths.some((length) => length < 0) || value.shape[0] !== total) {
      throw new InvalidArgumentError(
        `Expected sum of lengths to be equal to values.shape[0], but sum of lengths is ${total} and value's shape is: [${value.shape}]`,
      )
    }
    const { length } = array.elements
    if (lengths.length !== length && !(array.grows && lengths.length > length)) {
      throw new InvalidArgumentError(
        `TensorArray's size is not equal to the size of lengths (${length} vs. ${lengths.length}), and the TensorArray is not marked as dynamically resizeable`,
      )
    }
    cut(value, 0, lengths).forEach((part, i) => {
      store(array, i, part)
    })
    return FLOW
  },
}

/** The shape of nothing that is asked for by attribute `name`, which must then be known in full. */
function ofNothing(call: Call, name: string): Tensor {
  const asked = call.attrs.shape(name)
  const shape = definite(asked)
  if (shape === null)
    throw new InvalidArgumentError(`TensorArray has size zero, but element shape ${show(asked)} is not fully defined.`)
  return blank(call.attrs.dtype('dtype'), [0, ...shape])
}

const gather: Op = {
  stateful: true,
  evaluate(call) {
    const array = arrayOf(call)
    array.shape = merge(array.shape, call.attrs.shape('element_shape'))
    const indices = integers(call, 1, 'indices')
    if (indices.length === 0) return ofNothing(call, 'element_shape')
    const parts = indices.map((index) => read(array, index))
    const [{ shape }] = parts
    return concatenate(
      parts.map((part, i) => {
        if (!compatible(part.shape, shape) || !compatible(part.shape, array.shape)) {
          throw new InvalidArgumentError(
            `TensorArray has inconsistent shapes. Index 0 has shape: [${shape}] but index ${i} has shape: [${part.shape}], wanted: ${show(array.shape)}`,
          )
        }
        return reshaped(part, [1, ...part.shape])
      }),
      0,
    )
  },
}

/** All elements along their first dimension, and how long each was. */
const concat: Op = {
  outputs: ['value', 'lengths'],
  stateful: true,
  evaluate(call) {
    const array = arrayOf(call)
    const asked = call.attrs.shape('element_shape_except0')
    const count = array.elements.length
    if (count === 0) return [ofNothing(call, 'element_shape_except0'), tensor('int64', [0], new BigInt64Array(0))]
    const parts = array.elements.map((_, i) => read(array, i))
    for (const [i, { shape }] of parts.entries()) {
      if (shape.length === 0) {
        throw new InvalidArgumentError(
          `Concat saw a scalar shape at index ${i} but requires at least vectors. Did you mean to call pack?`,
        )
      }
      if (!compatible(asked, shape.slice(1))) {
        throw new InvalidArgumentError(
          `TensorArray was passed element_shape_except0 ${show(asked)}, but index ${i} has (excepting dimension 0) shape: [${shape.slice(1)}]`,
        )
      }
    }
    const lengths = BigInt64Array.from(parts, ({ shape }) => BigInt(shape[0]))
    return [concatenate(parts, 0), tensor('int64', [count], lengths)]
  },
}

export const ops: Readonly<Record<string, Op>> = {
  TensorArrayV3: create,
  TensorArrayWriteV3: writeOne,
  TensorArrayReadV3: { stateful: true, evaluate: (call) => read(arrayOf(call), integer(call, 1, 'index')) },
  TensorArrayScatterV3: scatter,
  TensorArraySplitV3: split,
  TensorArrayGatherV3: gather,
  TensorArrayConcatV3: concat,
  TensorArraySizeV3: {
    stateful: true,
    evaluate: (call) => tensor('int32', [], Int32Array.of(arrayOf(call).elements.length)),
  },
  TensorArrayCloseV3: { evaluate: () => [] },
}
