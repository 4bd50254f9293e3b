/** The element types of tensorflow/core/framework/types.proto, by TensorFlow's own names. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'complex64'
  | 'complex128'
  | 'string'
  | 'resource'
  | 'variant'
  | UnreadDType

/** Types that twotower does not read: ends of signatures may be of them, which are refused then; no tensor is. */
export type UnreadDType =
  | 'float8_e5m2'
  | 'float8_e4m3fn'
  | 'float8_e4m3fnuz'
  | 'float8_e4m3b11fnuz'
  | 'float8_e5m2fnuz'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2'
  /** One that types.proto did not define when this was written, by its number. */
  | `DataType ${number}`

export type ReadDType = Exclude<DType, UnreadDType>

/** Bytes that an element takes in a checkpoint and in a TensorProto's content; 0 where elements have no fixed size. */
export const BYTES: Readonly<Record<ReadDType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
  complex64: 8,
  complex128: 16,
  string: 0,
  resource: 0,
  variant: 0,
}

/** True for float16 and bfloat16. */
export const isHalf = (dtype: DType): dtype is 'float16' | 'bfloat16' => dtype === 'float16' || dtype === 'bfloat16'

/** True for float32, float64, float16 and bfloat16. */
export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64' || isHalf(dtype)

/** True for the integers of every width, not for bool. */
export const isInteger = (dtype: DType): boolean => /^u?int/.test(dtype)

/** True where elements are BigInt in JavaScript. */
export const isBig = (dtype: DType): dtype is 'int64' | 'uint64' => dtype === 'int64' || dtype === 'uint64'

export type ComplexDType = 'complex64' | 'complex128'

/** True where an element is two numbers, its real and its imaginary part. */
export const isComplex = (dtype: DType): dtype is ComplexDType => dtype.startsWith('complex')

/** In what the parts of a complex number are held; every other dtype is its own. */
export const partOf = <D extends DType>(dtype: D): Exclude<D, ComplexDType> | 'float32' | 'float64' =>
  dtype === 'complex64' ? 'float32' : dtype === 'complex128' ? 'float64' : (dtype as Exclude<D, ComplexDType>)
