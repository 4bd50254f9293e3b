import type { Op } from '../graph/index.ts'
import {
  type ArrayDType,
  BYTES,
  halvesOf,
  isBig,
  isFloat,
  isInteger,
  type NumberArray,
  type TypedArray,
} from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'

/**
 * Cast after core/kernels/cast_op*.cc. A float becomes an integer by truncation; what does not fit is what x86 gives:
 * the smallest int32 or int64. Bool is 0 or 1, and anything but zero is true.
 */
const cast: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const to = call.attrs.dtype('DstT') as ArrayDType
    if (BYTES[to] === undefined || BYTES[to] === 0) throw new TypeError(`cannot cast ${x.dtype} to ${to}`)
    if (to === x.dtype) return x
    return filled(to, x.shape, (out) => convert(x.data as TypedArray, x.dtype, out, to))
  },
}

function convert(from: TypedArray, fromType: ArrayDType, out: TypedArray, to: ArrayDType): void {
  const whole = !isFloat(fromType)
  // An array takes another's numbers rounded to nearest.
  if (isFloat(to) && !isBig(fromType)) (out as Float32Array).set(from as NumberArray)
  else if (from instanceof BigInt64Array && out instanceof Float32Array) int64ToFloat(from, out)
  else if (from instanceof BigInt64Array && out instanceof Int32Array) int64ToInt32(from, out)
  else if (whole && !isBig(fromType) && out instanceof BigInt64Array) integersToInt64(from as NumberArray, out)
  else if (from instanceof Float32Array && out instanceof Int32Array) floatToInt32(from, out)
  else if (from instanceof Float32Array && out instanceof BigInt64Array) floatToInt64(from, out)
  else eachElement(from, fromType, out, to)
}

function eachElement(from: TypedArray, fromType: ArrayDType, out: TypedArray, to: ArrayDType): void {
  const truncate = isFloat(fromType) && isInteger(to)
  for (let i = 0; i < out.length; i++) {
    const value = from[i]
    if (to === 'bool') out[i] = Number(value) !== 0 ? 1 : 0
    else if (truncate) out[i] = isBig(to) ? toBig(Number(value), to) : toInteger(Number(value), to)
    else
      out[i] = isBig(to)
        ? BigInt(value)
        : Number(typeof value === 'bigint' && !isFloat(to) ? BigInt.asIntN(32, value) : value)
  }
}

/** Rounded once, as the processor does it: what a double cannot hold of the low bits is kept as one sticky bit. */
function int64ToFloat(from: BigInt64Array, out: Float32Array): void {
  const halves = halvesOf(from)
  for (let i = 0; i < out.length; i++) {
    const [low, high] = [halves[2 * i] >>> 0, halves[2 * i + 1]]
    const exact = high >= -(2 ** 21) && high < 2 ** 21
    const kept = exact ? low : ((low & ~0x7ff) | ((low & 0x7ff) === 0 ? 0 : 0x800)) >>> 0
    out[i] = high * 2 ** 32 + kept
  }
}

function int64ToInt32(from: BigInt64Array, out: Int32Array): void {
  const halves = halvesOf(from)
  for (let i = 0; i < out.length; i++) out[i] = halves[2 * i]
}

function integersToInt64(from: NumberArray, out: BigInt64Array): void {
  const halves = halvesOf(out)
  for (let i = 0; i < from.length; i++) {
    halves[2 * i] = from[i]
    halves[2 * i + 1] = from[i] < 0 ? -1 : 0
  }
}

/** Ids that come as floats, as Keras's embeddings take them. */
function floatToInt32(from: Float32Array, out: Int32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = fitsInt32(from[i]) ? from[i] : LOWEST_32
}

function floatToInt64(from: Float32Array, out: BigInt64Array): void {
  const halves = halvesOf(out)
  for (let i = 0; i < out.length; i++) {
    const value = from[i]
    if (fitsInt32(value)) {
      halves[2 * i] = value
      halves[2 * i + 1] = value <= -1 ? -1 : 0
    } else out[i] = toBig(value, 'int64')
  }
}

const LOWEST_32 = -(2 ** 31)
/** Whether `value`, without what comes after its point, is an int32. Not NaN. */
const fitsInt32 = (value: number): boolean => value > LOWEST_32 - 1 && value < 2 ** 31

/** Narrow types go through int32 as x86's conversion does; uint32 through int64. */
function toInteger(value: number, to: ArrayDType): number {
  const whole = Math.trunc(value)
  if (to === 'uint32')
    return Number.isFinite(whole) && Math.abs(whole) < 2 ** 63 ? Number(BigInt.asUintN(32, BigInt(whole))) : 0
  return fitsInt32(whole) ? whole : LOWEST_32
}
function toBig(value: number, to: ArrayDType): bigint {
  const limit = to === 'uint64' ? 2 ** 64 : 2 ** 63
  if (!(value >= -(2 ** 63) && value < limit)) return -(2n ** 63n)
  return BigInt(Math.trunc(value))
}

export const ops: Readonly<Record<string, Op>> = {
  Cast: cast,
}
