// TensorProto and TensorShapeProto to tensors and shapes: Tensor::FromProto of tensorflow/core/framework/tensor.cc.

import { dtypeOf } from '../tensor/datatypes.ts'
import {
  BYTES,
  type DataOf,
  halvesOf,
  isComplex,
  isHalf,
  type NumberArray,
  partOf,
  type Shape,
  Strings,
  sizeOf,
  type Tensor,
  zeros,
} from '../tensor/index.ts'
import { Cursor } from './cursor.ts'
import { elementsOf, type StoredDType, stringLengths, stringsOf, tensorFrom, widen } from './elements.ts'
import type { tensorflow } from './proto/generated.js'

/** Most bytes that a repeated last value may fill: what is not in the file is not believed without limit. */
const MOST_REPEATED = 2 ** 30

/** A 64-bit integer as protobufjs decodes it. */
export interface Int64 {
  readonly low: number
  readonly high: number
  toNumber(): number
}

/**
 * The dimensions of a TensorShapeProto: null for a dimension that is not known, null alone where the rank is not known.
 * A missing message is a scalar's shape, [], as in TensorFlow.
 * @throws {RangeError} where a dimension is below −1 or past 2^53
 */
export function shapeOf(proto: tensorflow.TensorShapeProto.$Properties | null | undefined): (number | null)[] | null {
  if (proto?.unknownRank) return null
  return (proto?.dim ?? []).map((dim) => {
    const size = dim.size?.toNumber() ?? 0
    if (size < -1 || !Number.isSafeInteger(size)) throw new RangeError(`a dimension of ${dim.size} is not possible`)
    return size === -1 ? null : size
  })
}

/**
 * The tensor that a TensorProto holds, in tensor_content or in its list of values. A list that is too short repeats its
 * last value, an empty one means zeros or empty strings, and what is too much in it is not looked at. Data may be a view
 * of the message's bytes.
 * @throws {TypeError} for a dtype that is not supported, and for resources and variants, which are handles of a process
 * @throws {RangeError} where the shape is not fully known or the message does not hold what the shape asks for
 */
export function tensorOf(proto: tensorflow.TensorProto.$Properties): Tensor {
  const dtype = dtypeOf(proto.dtype ?? 0)
  if (dtype === 'resource' || dtype === 'variant') {
    throw new TypeError(`a TensorProto of dtype ${dtype} holds a handle of the process that wrote it, not values`)
  }
  const shape = shapeOf(proto.tensorShape)
  if (shape === null || !isKnown(shape)) {
    throw new RangeError(`a TensorProto needs a fully known shape, got [${shape?.map((dim) => dim ?? '?') ?? '…'}]`)
  }
  if (dtype === 'string') return tensorFrom(dtype, shape, stringData(proto, shape))
  return tensorFrom(dtype, shape, numberData(dtype, proto, shape))
}

const isKnown = (shape: readonly (number | null)[]): shape is number[] => shape.every((dim) => dim !== null)

function stringData(proto: tensorflow.TensorProto.$Properties, shape: Shape): Strings {
  const size = sizeOf(shape)
  const content = proto.tensorContent
  if (content?.length && size > 0) {
    const failure = (problem: string): RangeError => new RangeError(`a TensorProto of string[${shape}]: ${problem}`)
    const cursor = new Cursor(content, failure)
    const lengths = stringLengths(cursor, size, failure)
    return stringsOf(cursor.take(cursor.left), lengths, failure)
  }
  const values = (proto.stringVal ?? []).slice(0, size)
  const last = values.at(-1) ?? new Uint8Array(0)
  const repeats = size - values.length
  checkRepeated(repeats * (last.length + 4), 'string', shape)
  const offsets = new Uint32Array(size + 1)
  for (let i = 0; i < size; i++) offsets[i + 1] = offsets[i] + (values[i] ?? last).length
  const bytes = new Uint8Array(offsets[size])
  for (let i = 0; i < size; i++) bytes.set(values[i] ?? last, offsets[i])
  return new Strings(bytes, offsets)
}

function numberData(dtype: StoredDType, proto: tensorflow.TensorProto.$Properties, shape: Shape): DataOf[StoredDType] {
  const size = sizeOf(shape)
  const content = proto.tensorContent
  if (content?.length && size > 0) {
    if (content.length !== size * BYTES[dtype]) {
      throw new RangeError(
        `a TensorProto of ${dtype}[${shape}] needs ${size * BYTES[dtype]} bytes of content, got ${content.length}`,
      )
    }
    return elementsOf(dtype, content)
  }
  if (dtype === 'int64' || dtype === 'uint64') {
    const values = (dtype === 'int64' ? proto.int64Val : proto.uint64Val) ?? []
    checkRepeated((size - values.length) * BYTES[dtype], dtype, shape)
    return longs(dtype, values, size)
  }
  if (isComplex(dtype)) {
    const values = (dtype === 'complex64' ? proto.scomplexVal : proto.dcomplexVal) ?? []
    checkRepeated((size - values.length / 2) * BYTES[dtype], dtype, shape)
    return pairs(partOf(dtype), values, size)
  }
  const values = proto[LISTS[dtype]] ?? []
  checkRepeated((size - values.length) * BYTES[dtype], dtype, shape)
  return numbers(dtype, isHalf(dtype) ? widen(dtype, values.map(Number)) : values, size)
}

/** The list of TensorProto that holds the elements of each dtype whose elements are numbers. */
const LISTS = {
  float32: 'floatVal',
  float64: 'doubleVal',
  float16: 'halfVal',
  bfloat16: 'halfVal',
  int8: 'intVal',
  int16: 'intVal',
  int32: 'intVal',
  uint8: 'intVal',
  uint16: 'intVal',
  uint32: 'uint32Val',
  bool: 'boolVal',
} as const

function numbers(dtype: keyof typeof LISTS, values: ArrayLike<number | boolean>, size: number): NumberArray {
  const data: NumberArray = zeros(dtype, size)
  const given = Math.min(values.length, size)
  for (let i = 0; i < given; i++) data[i] = Number(values[i])
  return given > 0 ? data.fill(data[given - 1], given) : data
}

/** Complex numbers, which stand in their list as a real and an imaginary part each. */
function pairs(dtype: 'float32' | 'float64', values: readonly number[], size: number): Float32Array | Float64Array {
  const data = zeros(dtype, 2 * size)
  const last = values.length - (values.length % 2) - 2
  for (let i = 0; last >= 0 && i < size; i++) {
    const from = Math.min(2 * i, last)
    data[2 * i] = values[from]
    data[2 * i + 1] = values[from + 1]
  }
  return data
}

function longs(dtype: 'int64' | 'uint64', values: readonly Int64[], size: number): BigInt64Array | BigUint64Array {
  const data = zeros(dtype, size)
  const halves = halvesOf(data)
  const given = Math.min(values.length, size)
  for (let i = 0; i < given; i++) {
    halves[2 * i] = values[i].low
    halves[2 * i + 1] = values[i].high
  }
  return given > 0 ? data.fill(data[given - 1], given) : data
}

/** @throws {RangeError} where the elements that the message does not hold would take too many `bytes` */
function checkRepeated(bytes: number, dtype: string, shape: Shape): void {
  // Written so that NaN, from a shape that has a 0 and overflows, is refused too.
  if (!(bytes <= MOST_REPEATED)) {
    throw new RangeError(
      `a TensorProto of ${dtype}[${shape}] repeats its last value over ${bytes} bytes; at most ${MOST_REPEATED} are believed`,
    )
  }
}
