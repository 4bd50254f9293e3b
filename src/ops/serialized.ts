import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { dtypeOf, numberOf } from '../tensor/datatypes.ts'
import {
  type ArrayDType,
  BYTES,
  fromBfloat16,
  fromFloat16,
  isBig,
  isComplex,
  type ReadDType,
  Strings,
  StringsBuilder,
  sizeOf,
  type Tensor,
  tensor,
  zeros,
} from '../tensor/index.ts'
import type { NumericTensor } from './elementwise.ts'
import { Reader } from './examples/wire.ts'
import { bytesOf, numbersIn } from './raw.ts'
import { text } from './strings.ts'

// A serialized TensorProto as a tensor, after core/kernels/parse_tensor_op.cc and
// Tensor::FromProto in core/framework/tensor.cc.

/** What a TensorProto says: its elements lie in `content`, or in a list that may be shorter than the tensor. */
interface Proto {
  dtype: number
  shape: number[] | null
  content: Uint8Array
  readonly numbers: (number | bigint)[]
  readonly strings: Uint8Array[]
}

/** How the elements of a repeated field are read one by one. */
type Read = (reader: Reader) => number | bigint | null

const varint: Read = (reader) => reader.varint64()
const double: Read = (reader) => {
  const bytes = reader.take(8)
  return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true)
}

/** The lists of numbers, by their field: float_val, double_val, int_val, int64_val, bool_val, half_val, uint32_val, uint64_val. */
const LISTS: Readonly<Record<number, Read>> = {
  5: (reader) => reader.float(),
  6: double,
  7: varint,
  10: varint,
  11: varint,
  13: varint,
  16: varint,
  17: varint,
}

function readProto(bytes: Uint8Array): Proto | null {
  const proto: Proto = { dtype: 0, shape: [], content: new Uint8Array(0), numbers: [], strings: [] }
  const reader = new Reader(bytes)
  while (!reader.done) {
    const tag = reader.peekTag()
    if (tag === null) return null
    const [field, wire] = [tag >>> 3, tag & 7]
    if (LISTS[field] !== undefined) {
      reader.varint32()
      const packed = wire === 2 ? reader.delimited() : null
      if (wire === 2 && packed === null) return null
      const from = packed === null ? reader : new Reader(packed)
      do {
        if (packed !== null && from.done) break
        const value = LISTS[field](from)
        if (value === null) return null
        proto.numbers.push(value)
      } while (packed !== null)
    } else if (field === 1 && wire === 0) {
      reader.varint32()
      proto.dtype = reader.varint32() ?? 0
    } else if ((field === 2 || field === 4 || field === 8) && wire === 2) {
      reader.varint32()
      const value = reader.delimited()
      if (value === null) return null
      if (field === 8) proto.strings.push(value)
      else if (field === 4) proto.content = value
      else proto.shape = readShape(value)
    } else if (!reader.skip()) return null
  }
  return proto
}

/** The dimensions of a TensorShapeProto, or null where they are not all known. */
function readShape(bytes: Uint8Array): number[] | null {
  const reader = new Reader(bytes)
  const shape: number[] = []
  while (!reader.done) {
    if (!reader.expect(0x12)) return null
    const dim = reader.within()
    let size = 0
    while (dim !== null && !dim.done) {
      if (dim.expect(0x08)) size = Number(BigInt.asIntN(64, dim.varint64() ?? -1n))
      else if (!dim.skip()) return null
    }
    if (!(size >= 0)) return null
    shape.push(size)
  }
  return shape
}

function tensorOf({ shape, content, numbers, strings }: Proto, dtype: ReadDType): Tensor | null {
  if (shape === null || dtype === 'resource' || dtype === 'variant' || isComplex(dtype)) return null
  const size = sizeOf(shape)
  if (dtype === 'string') {
    const data = stringsOf(content, strings, size)
    return data === null ? null : { dtype, shape, data }
  }
  if (content.length > 0) {
    return content.length === size * BYTES[dtype] ? numbersIn(content.slice(), dtype, shape) : null
  }
  const data = zeros(dtype as ArrayDType, size) as { [i: number]: number | bigint }
  // A list that is too short repeats its last element.
  for (let i = 0; i < size && numbers.length > 0; i++) {
    data[i] = element(numbers[Math.min(i, numbers.length - 1)], dtype)
  }
  return { dtype, shape, data } as unknown as Tensor
}

function element(value: number | bigint, dtype: ReadDType): number | bigint {
  if (isBig(dtype)) return BigInt(value)
  if (typeof value === 'number') return value
  const bits = Number(BigInt.asIntN(32, value))
  if (dtype === 'float16') return fromFloat16(bits)
  if (dtype === 'bfloat16') return fromBfloat16(bits)
  return dtype === 'bool' ? Number(value !== 0n) : bits
}

/** Strings lie in content as their lengths and then their bytes. */
function stringsOf(content: Uint8Array, strings: readonly Uint8Array[], size: number): Strings | null {
  const all = new StringsBuilder()
  if (content.length === 0) {
    zeros('uint8', size)
    for (let i = 0; i < size; i++) all.push(strings[Math.min(i, strings.length - 1)] ?? new Uint8Array(0))
    return all.finish()
  }
  const reader = new Reader(content)
  const lengths = []
  for (let i = 0; i < size; i++) {
    const length = reader.varint32()
    if (length === null) return null
    lengths.push(length)
  }
  for (const length of lengths) {
    const value = reader.take(length)
    if (value === null) return null
    all.push(value)
  }
  return all.finish()
}

const parseTensor: Op = {
  evaluate(call) {
    const { shape, data } = text(call, 0)
    if (shape.length !== 0)
      throw new InvalidArgumentError(`Expected \`serialized\` to be a scalar, got shape: [${shape}]`)
    const bytes = data.at(0)
    const proto = readProto(bytes)
    if (proto === null) throw new InvalidArgumentError(`Cannot parse a TensorProto of ${bytes.length} bytes`)
    const dtype = call.attrs.dtype('out_type')
    const given = proto.dtype === 0 ? 'none' : dtypeOf(proto.dtype)
    if (given !== dtype)
      throw new InvalidArgumentError(`Type mismatch between parsed tensor (${given}) and dtype (${dtype})`)
    const tensor = tensorOf(proto, dtype)
    if (tensor === null) {
      throw new InvalidArgumentError(
        `Cannot parse tensor from proto: ${dtype} of shape [${proto.shape ?? 'unknown'}] is not what ${bytes.length} bytes hold`,
      )
    }
    return tensor
  },
}

function varintOf(value: number): number[] {
  const bytes = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return bytes
}

/** A field of a message that holds bytes. */
const field = (number: number, bytes: Uint8Array | readonly number[]): Uint8Array[] => [
  Uint8Array.from([number * 8 + 2, ...varintOf(bytes.length)]),
  Uint8Array.from(bytes),
]

/** A tensor as a TensorProto, after core/kernels/serialize_tensor_op.cc: numbers in its content, strings in a list. */
const serializeTensor: Op = {
  evaluate(call) {
    const [x] = call.inputs
    if (x.dtype === 'resource' || x.dtype === 'variant' || isComplex(x.dtype))
      throw new TypeError(`${x.dtype} is not a type of this op`)
    const shape = x.shape.flatMap((dim) => {
      const size = dim === 0 ? [] : [8, ...varintOf(dim)]
      return [18, size.length, ...size]
    })
    const parts = [Uint8Array.from([8, numberOf(x.dtype)]), ...field(2, shape)]
    if (x.dtype === 'string') for (let i = 0; i < x.data.length; i++) parts.push(...field(8, x.data.at(i)))
    else if (sizeOf(x.shape) > 0) parts.push(...field(4, bytesOf(x as NumericTensor)))
    const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
    let at = 0
    for (const part of parts) {
      all.set(part, at)
      at += part.length
    }
    return tensor('string', [], Strings.from([all]))
  },
}

export const ops: Readonly<Record<string, Op>> = { ParseTensor: parseTensor, SerializeTensor: serializeTensor }
