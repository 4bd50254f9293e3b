import { float32Text } from '../json/text.ts'
import { base64 } from '../serve/predict.ts'
import { isNumeric, type Tensor, type TypedArray, utf8 } from '../tensor/index.ts'

/** An element of a tensor; bytes that are no text as TensorFlow Serving writes them. */
export type Scalar = string | number | bigint | boolean | { readonly b64: string }

/** A vector in short. */
export interface Vector {
  readonly size: number
  readonly norm: number
  readonly first: readonly number[]
}

/** One stage of a value on its way into a tower. */
export type Stage =
  /** Text, tokens, ids or numbers, and what was done to them. */
  | { readonly kind: 'values'; readonly words: string; readonly values: readonly Scalar[] }
  /** A vocabulary: `found` is false where the table's default stands for a key that it does not hold. */
  | {
      readonly kind: 'lookup'
      readonly table: string
      readonly size: number
      readonly entries: readonly { readonly key: Scalar; readonly id: Scalar; readonly found: boolean }[]
    }
  | {
      readonly kind: 'hash'
      readonly buckets: number
      readonly entries: readonly { readonly key: Scalar; readonly bucket: number }[]
    }
  /** Buckets between boundaries: a value is at least `from` and less than `to`, null where there is no such end. */
  | {
      readonly kind: 'buckets'
      readonly entries: readonly {
        readonly value: Scalar
        readonly bucket: number
        readonly from: number | null
        readonly to: number | null
      }[]
    }
  /** Rows of an embedding table. */
  | {
      readonly kind: 'rows'
      readonly table: string
      readonly shape: readonly number[]
      readonly rows: readonly (Vector & { readonly id: number })[]
    }
  /** What rows were made into. */
  | ({ readonly kind: 'vector'; readonly words: string } & Vector)

/** Numbers of a vector that are shown. */
const FIRST = 8

export function vectorOf(data: Float32Array): Vector {
  const norm = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0))
  return { size: data.length, norm: shortest(norm), first: Array.from(data.subarray(0, FIRST), shortest) }
}

/** The number that people would write for a float32. */
export const shortest = (value: number): number =>
  Number.isFinite(value) ? Number(float32Text(Math.fround(value))) : value

/** The elements of `t`; of a resource or variant none. */
export function scalarsOf(t: Tensor): Scalar[] {
  if (t.dtype === 'string') return Array.from({ length: t.data.length }, (_, i) => textOf(t.data.at(i)))
  if (!isNumeric(t)) return []
  const data = Array.from(t.data as ArrayLike<number | bigint>)
  if (t.dtype === 'bool') return data.map((value) => value !== 0)
  return t.dtype === 'float32' ? (data as number[]).map(shortest) : data
}

/** True where two elements read alike, be they integers of 32 or 64 bits. */
export const alike = (a: Scalar, b: Scalar): boolean => reading(a) === reading(b)
const reading = (value: Scalar): string => (typeof value === 'object' ? `b64 ${value.b64}` : String(value))

/** True where two lists read alike, element by element. */
export const sameList = (a: readonly Scalar[], b: readonly Scalar[]): boolean =>
  a.length === b.length && a.every((value, i) => alike(value, b[i]))

export const textOf = (bytes: Uint8Array): Scalar => utf8(bytes) ?? { b64: base64(bytes) }

/** The elements of `t` as numbers; of text none. */
export const numbersOf = (t: Tensor | undefined): number[] =>
  t !== undefined && isNumeric(t) ? Array.from(t.data as TypedArray as ArrayLike<number | bigint>, Number) : []
