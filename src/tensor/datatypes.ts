import type { DType, ReadDType, UnreadDType } from './dtype.ts'

// Element types by their numbers in files; whoever runs a bundle never meets these.

/** DataType numbers of types.proto. A ref type is its number plus 100. */
const NUMBERS: Readonly<Record<number, ReadDType>> = {
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

const UNREAD: Readonly<Record<number, UnreadDType>> = {
  24: 'float8_e5m2',
  25: 'float8_e4m3fn',
  26: 'float8_e4m3fnuz',
  27: 'float8_e4m3b11fnuz',
  28: 'float8_e5m2fnuz',
  29: 'int4',
  30: 'uint4',
  31: 'int2',
  32: 'uint2',
}

const UNREAD_NAMES: ReadonlySet<unknown> = new Set(Object.values(UNREAD))
/** What a type is called that types.proto has not defined yet; 0 is no type. */
const UNNAMED = /^DataType [1-9]\d*$/

/** True for the name of a type that twotower does not read. */
export const isUnread = (name: unknown): name is UnreadDType =>
  UNREAD_NAMES.has(name) || (typeof name === 'string' && UNNAMED.test(name))

/** What a DataType number stands for, whether twotower reads that type or not. */
export const dtypeName = (number: number): DType =>
  NUMBERS[plain(number)] ?? UNREAD[plain(number)] ?? `DataType ${number}`

/** The DataType number of `dtype`. */
export const numberOf = (dtype: ReadDType): number =>
  Number(Object.keys(NUMBERS).find((number) => NUMBERS[Number(number)] === dtype))

/**
 * The dtype of a DataType number; a ref type (TF1 variables) is its plain type.
 * @throws {TypeError} for a number that types.proto does not define or twotower does not read
 */
export function dtypeOf(number: number): ReadDType {
  const dtype = NUMBERS[plain(number)]
  if (dtype === undefined) throw new TypeError(`dtype ${dtypeName(number)} is not supported`)
  return dtype
}
