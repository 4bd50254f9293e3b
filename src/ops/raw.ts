import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  ARRAYS,
  type ArrayDType,
  fromBfloat16,
  fromFloat16,
  isHalf,
  type Shape,
  type Tensor,
  type TensorOf,
  tensor,
  toBfloat16,
  toFloat16,
} from '../tensor/index.ts'
import { type NumericTensor, numeric } from './elementwise.ts'
import { integers } from './integers.ts'
import { text } from './strings.ts'

// Strings whose bytes are numbers, after core/kernels/decode_raw_op.cc and decode_padded_raw_op.cc.

/** The bytes that one number takes. */
const sizeOf = (dtype: ArrayDType): number => (isHalf(dtype) ? 2 : ARRAYS[dtype].BYTES_PER_ELEMENT)

/** `width` bytes of each string as numbers, in rows in the string's place; what a string has not is zero. */
function numbersOf(call: Call, { shape, data }: TensorOf<'string'>, width: number, dtype: ArrayDType): Tensor {
  const size = sizeOf(dtype)
  const all = new Uint8Array(data.length * width)
  for (let i = 0; i < data.length; i++) all.set(data.at(i).subarray(0, width), i * width)
  if (!call.attrs.boolean('little_endian', true) && size > 1)
    for (let at = 0; at < all.length; at += size) all.subarray(at, at + size).reverse()
  return numbersIn(all, dtype, [...shape, width / size])
}

/** Little-endian numbers. */
export function numbersIn(all: Uint8Array<ArrayBuffer>, dtype: ArrayDType, to: Shape): Tensor {
  if (dtype === 'float16') return tensor(dtype, to, Float32Array.from(new Uint16Array(all.buffer), fromFloat16))
  if (dtype === 'bfloat16') return tensor(dtype, to, Float32Array.from(new Uint16Array(all.buffer), fromBfloat16))
  if (dtype === 'bool') return tensor(dtype, to, all.map(Math.sign))
  return { dtype, shape: to, data: new ARRAYS[dtype](all.buffer) } as Tensor
}

const raw: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const dtype = call.attrs.dtype('out_type') as ArrayDType
    const size = sizeOf(dtype)
    const width = x.data.length === 0 ? 0 : x.data.at(0).length
    if (width % size !== 0)
      throw new InvalidArgumentError(`Input to DecodeRaw has length ${width} that is not a multiple of ${size}`)
    for (let i = 0; i < x.data.length; i++) {
      const { length } = x.data.at(i)
      if (length !== width)
        throw new InvalidArgumentError(
          `DecodeRaw requires input strings to all be the same size, but element ${i} has size ${length} != ${width}`,
        )
    }
    return numbersOf(call, x, width, dtype)
  },
}

const paddedRaw: Op = {
  evaluate(call) {
    const x = text(call, 0)
    const dtype = call.attrs.dtype('out_type') as ArrayDType
    if (isHalf(dtype)) throw new TypeError(`no padded bytes are ${dtype}`)
    const [width] = integers(call, 1, 'fixed_length')
    if (width <= 0 || width % sizeOf(dtype) !== 0)
      throw new InvalidArgumentError(`fixed_length (${width}) must be a positive multiple of the size of ${dtype}`)
    return numbersOf(call, x, width, dtype)
  },
}

/** The bytes of `x`, little-endian. */
export function bytesOf(x: NumericTensor): Uint8Array<ArrayBuffer> {
  const halves = x.dtype === 'float16' ? toFloat16 : x.dtype === 'bfloat16' ? toBfloat16 : null
  const data = halves === null ? x.data : Uint16Array.from(x.data as Float32Array, halves)
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
}

/** The same bytes as numbers of another type: a wider one takes up the last dimension, a narrower one adds one. */
const bitcast: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const dtype = call.attrs.dtype('type') as ArrayDType
    const [from, to] = [sizeOf(x.dtype), sizeOf(dtype)]
    const last = x.shape[x.shape.length - 1]
    if (from < to && last !== to / from)
      throw new InvalidArgumentError(
        `Cannot bitcast from ${x.dtype} to ${dtype}: shape [${x.shape}] must end in ${to / from}`,
      )
    const shape = from < to ? x.shape.slice(0, -1) : from > to ? [...x.shape, from / to] : x.shape
    return numbersIn(bytesOf(x), dtype, shape)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Bitcast: bitcast,
  DecodeRaw: raw,
  DecodePaddedRaw: paddedRaw,
}
