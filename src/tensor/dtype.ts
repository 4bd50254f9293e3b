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

/** DataType numbers of types.proto. A ref type is its number plus 100. */
const NUMBERS: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'float64',
  3: 'int32',
  4: 'uint8',
  5: 'int16',
  6: 'int8',
  7: 'string',
  8: 'complex64',
  9: 'int64',
  10: 'bool',
  // Quantized types are their integers: what they stand for is said by ranges beside them (Dequantize).
  11: 'int8',
  12: 'uint8',
  13: 'int32',
  14: 'bfloat16',
  15: 'int16',
  16: 'uint16',
  17: 'uint16',
  18: 'complex128',
  19: 'float16',
  20: 'resource',
  21: 'variant',
  22: 'uint32',
  23: 'uint64',
}

/** The number without what says that it is a ref type. */
const plain = (number: number): number => (number > 100 ? number - 100 : number)

/** The name of a DataType number, whether twotower reads that type or not. */
export const dtypeName = (number: number): string => NUMBERS[plain(number)] ?? `DataType ${number}`

/**
 * The dtype of a DataType number; a ref type (TF1 variables) is its plain type.
 * @throws {TypeError} for a number that types.proto does not define or twotower does not read
 */
export function dtypeOf(number: number): DType {
  const dtype = NUMBERS[plain(number)]
  if (dtype === undefined) throw new TypeError(`dtype ${number} is not supported`)
  return dtype
}

/** Bytes that an element takes in a checkpoint and in a TensorProto's content; 0 where elements have no fixed size. */
export const BYTES: Readonly<Record<DType, number>> = {
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

/** True for float32, float64, float16 and bfloat16. */
export const isFloat = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16'

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
