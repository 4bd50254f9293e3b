import { type ComplexDType, type DType, isBig, isComplex, type ReadDType } from './dtype.ts'
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.ts'
import type { Strings } from './strings.ts'

/** Dimensions, outermost first; a scalar's is []. */
export type Shape = readonly number[]

/**
 * Which container holds the elements of a dtype, row-major. float16 and bfloat16 hold representable float32 values. A complex
 * number is two elements of its array, the real part and the imaginary: no op but those that know it is given such a tensor.
 */
export interface DataOf {
  float32: Float32Array
  float64: Float64Array
  float16: Float32Array
  bfloat16: Float32Array
  int8: Int8Array
  int16: Int16Array
  int32: Int32Array
  int64: BigInt64Array
  uint8: Uint8Array
  uint16: Uint16Array
  uint32: Uint32Array
  uint64: BigUint64Array
  bool: Uint8Array
  complex64: Float32Array
  complex128: Float64Array
  string: Strings
  resource: readonly unknown[]
  variant: readonly unknown[]
}

/** The dtypes whose elements are JavaScript numbers (bool: 0 or 1). */
export type NumberDType = Exclude<ArrayDType, 'int64' | 'uint64'>
/** The dtypes whose elements are one place each of a typed array: not complex numbers, which are two. */
export type ArrayDType = Exclude<ReadDType, ComplexDType | 'string' | 'resource' | 'variant'>
export type NumberArray = DataOf[NumberDType]
export type BigArray = BigInt64Array | BigUint64Array
export type TypedArray = NumberArray | BigArray

/** A tensor of dtype `D`: row-major `data` of as many elements as `shape`'s product. Immutable by convention. */
export type TensorOf<D extends ReadDType> = { readonly dtype: D; readonly shape: Shape; readonly data: DataOf[D] }
/** A tensor of any dtype; `dtype` tells which container `data` is. */
export type Tensor = { [D in ReadDType]: TensorOf<D> }[ReadDType]

/** The number of elements of `shape`. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]
  return size
}

/** Whether `a` and `b` are one shape; dimensions that are not known yet may be told by name. */
export function sameShape<Dimension extends number | string>(
  a: readonly Dimension[],
  b: readonly Dimension[],
): boolean {
  if (a.length !== b.length) return false
  // No `every` and no closure: ops of every run ask.
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** A tensor of `data`, which has as many elements as `shape` asks for. */
export function tensor<D extends ReadDType>(dtype: D, shape: Shape, data: DataOf[D]): TensorOf<D> {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`a ${dtype} tensor of shape [${shape}] has ${sizeOf(shape)} elements, got ${data.length}`)
  }
  return { dtype, shape, data }
}

/** Most elements that a dense tensor may have here: past it an engine's typed arrays end. */
const MOST = 2 ** 31 - 1

/**
 * A typed array of `size` zeros for `dtype`.
 * @throws {RangeError} where `size` is negative or larger than an array can be
 */
export function zeros<D extends ArrayDType>(dtype: D, size: number): DataOf[D] {
  if (!(size >= 0 && size <= MOST)) throw new RangeError(`a tensor of ${size} elements cannot be allocated`)
  return allocate(dtype, size) as DataOf[D]
}

/** Bytes that arrays are cut from, and up to where they are taken. */
let chunk = new ArrayBuffer(0)
let taken = 0
const CHUNK = 1 << 16
/** Bytes of which a chunk would not hold many. */
const LARGE = 1 << 14

/**
 * An array of a buffer of its own takes the engine 0.3 to 1 µs, a part of a larger one 0.05: a run makes hundreds. Those of 64
 * bytes and fewer V8 keeps in its own heap, which is as fast, but not in Deno. Parts are handed out once, so they are
 * zeros and nobody else's; the chunk goes when the last of its arrays goes.
 */
function allocate(dtype: ArrayDType, size: number): TypedArray {
  const bytes = size * ARRAYS[dtype].BYTES_PER_ELEMENT
  if (bytes > LARGE) return new ARRAYS[dtype](size)
  if (taken + bytes > chunk.byteLength) {
    chunk = new ArrayBuffer(CHUNK)
    taken = 0
  }
  const at = taken
  taken += (bytes + 15) & ~15
  // A constructor that is named where it is called is compiled in; one that is looked up is not.
  switch (dtype) {
    case 'float32':
      return new Float32Array(chunk, at, size)
    case 'int32':
      return new Int32Array(chunk, at, size)
    case 'int64':
      return new BigInt64Array(chunk, at, size)
    case 'bool':
      return new Uint8Array(chunk, at, size)
    case 'float64':
      return new Float64Array(chunk, at, size)
    default:
      return new ARRAYS[dtype](chunk, at, size)
  }
}

/** The typed-array class of each dtype that has one. */
export const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

/** `data` after the rounding that `dtype` asks for: float16 and bfloat16 in place, others as they are. */
export function rounded<A extends TypedArray>(dtype: DType, data: A): A {
  if (dtype === 'float16') for (let i = 0; i < data.length; i++) data[i] = fromFloat16(toFloat16(Number(data[i])))
  if (dtype === 'bfloat16') for (let i = 0; i < data.length; i++) data[i] = fromBfloat16(toBfloat16(Number(data[i])))
  return data
}

/** A scalar of an integer or floating dtype. */
export function scalar<D extends ArrayDType>(dtype: D, value: number | bigint): TensorOf<D> {
  const data = zeros(dtype, 1) as TypedArray
  data[0] = isBig(dtype) ? BigInt(value) : Number(value)
  return { dtype, shape: [], data: rounded(dtype, data) as DataOf[D] }
}

/** True where each element is one place of a typed array: not a string, resource or variant, and no complex number. */
export const isNumeric = (t: Tensor): t is { [D in ArrayDType]: TensorOf<D> }[ArrayDType] =>
  t.dtype !== 'string' && t.dtype !== 'resource' && t.dtype !== 'variant' && !isComplex(t.dtype)

/** A tensor whose `data` are the real part and the imaginary of each element in turn. */
export type ComplexTensor = { [D in ComplexDType]: TensorOf<D> }[ComplexDType]

/** For messages: `float32[2, 3]`. */
export const describe = (t: { readonly dtype: DType; readonly shape: readonly (number | null)[] | null }): string =>
  `${t.dtype}${t.shape === null ? '[…]' : `[${t.shape.map((dim) => dim ?? '?').join(', ')}]`}`
