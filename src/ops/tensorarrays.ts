import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type ArrayDType, type DType, describe, Strings, scalar, type Tensor, tensor } from '../tensor/index.ts'
import { filled } from './elementwise.ts'
import { integer, integers, integersOf } from './integers.ts'
import { reshaped } from './layout.ts'
import { concatenate, cut } from './slices.ts'

// TF1's TensorArray (kernels/tensor_array_ops.cc): what loops by frames write their rounds' results to. Its handle is a
// resource of one run; the float "flow" only orders the ops.

interface TensorArray {
  readonly kind: 'tensor array'
  readonly dtype: DType
  readonly elements: (Tensor | undefined)[]
  readonly grows: boolean
}

function arrayOf(call: Call): TensorArray {
  const [held] = call.inputs
  const array = held.dtype === 'resource' ? (held.data[0] as TensorArray) : undefined
  if (array?.kind !== 'tensor array') throw new TypeError(`input 0 must be a TensorArray, got ${describe(held)}`)
  return array
}

const FLOW = scalar('float32', 0)

function write(array: TensorArray, index: number, value: Tensor): void {
  if (index < 0 || (index >= array.elements.length && !array.grows)) {
    throw new InvalidArgumentError(
      `Tried to write to index ${index} but array is not resizeable and size is: ${array.elements.length}`,
    )
  }
  if (value.dtype !== array.dtype)
    throw new InvalidArgumentError(
      `TensorArray dtype is ${array.dtype} but Op is trying to write dtype ${value.dtype}.`,
    )
  array.elements[index] = value
}

function read(array: TensorArray, index: number): Tensor {
  if (index < 0 || index >= array.elements.length) {
    throw new InvalidArgumentError(`Tried to read from index ${index} but array size is: ${array.elements.length}`)
  }
  const value = array.elements[index]
  if (value === undefined)
    throw new InvalidArgumentError(`Could not read index ${index} of the TensorArray before it was written`)
  return value
}

const create: Op = {
  outputs: ['handle', 'flow'],
  stateful: true,
  evaluate({ inputs: [size], attrs }) {
    const array: TensorArray = {
      kind: 'tensor array',
      dtype: attrs.dtype('dtype'),
      elements: new Array<Tensor | undefined>(integersOf(size, 'size')[0]).fill(undefined),
      grows: attrs.boolean('dynamic_size', false),
    }
    return [{ dtype: 'resource', shape: [], data: [array] }, FLOW]
  },
}

const writeOne: Op = {
  stateful: true,
  evaluate(call) {
    write(arrayOf(call), integer(call, 1, 'index'), call.inputs[2])
    return FLOW
  },
}

const scatter: Op = {
  stateful: true,
  evaluate(call) {
    const array = arrayOf(call)
    const value = call.inputs[2]
    const rows = cut(value, 0, new Array<number>(value.shape[0]).fill(1))
    integers(call, 1, 'indices').forEach((index, i) => {
      write(array, index, reshaped(rows[i], value.shape.slice(1)))
    })
    return FLOW
  },
}

const gather: Op = {
  stateful: true,
  evaluate(call) {
    const array = arrayOf(call)
    const parts = integers(call, 1, 'indices').map((index) => read(array, index))
    if (parts.length > 0)
      return concatenate(
        parts.map((part) => reshaped(part, [1, ...part.shape])),
        0,
      )
    const shape = [0, ...(call.attrs.shape('element_shape') ?? []).map((dim) => dim ?? 0)]
    return array.dtype === 'string'
      ? tensor('string', shape, Strings.from([]))
      : filled(array.dtype as ArrayDType, shape, () => {})
  },
}

export const ops: Readonly<Record<string, Op>> = {
  TensorArrayV3: create,
  TensorArrayWriteV3: writeOne,
  TensorArrayReadV3: { stateful: true, evaluate: (call) => read(arrayOf(call), integer(call, 1, 'index')) },
  TensorArrayScatterV3: scatter,
  TensorArrayGatherV3: gather,
  TensorArraySizeV3: {
    stateful: true,
    evaluate: (call) => tensor('int32', [], Int32Array.of(arrayOf(call).elements.length)),
  },
  TensorArrayCloseV3: { evaluate: () => [] },
}
