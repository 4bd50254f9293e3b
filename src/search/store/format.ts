import type { Similarity } from '../../graph/index.ts'

// The file of an index: sixteen bytes that say so, the manifest's length and XXH32, the manifest as JSON, then sections,
// each an array, little-endian and aligned. docs/index-format.md is for readers in another language.

export const MAGIC: Uint8Array = new TextEncoder().encode('twotower index\n\0')
export const FORMAT = 'twotower-index'
export const VERSION = 2
/** Of sections and of where the first begins. */
export const ALIGNMENT = 64
/** Bytes before the manifest. */
export const PREFIX: number = MAGIC.length + 8

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

/** The arrays that a section may be, by their names in the manifest. */
export const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const

export type SectionType = keyof typeof ARRAYS
export type SectionArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
/** Sections by their names. */
export type Sections = Readonly<Record<string, SectionArray>>

export interface SectionRecord {
  readonly name: string
  readonly dtype: SectionType
  /** Elements. */
  readonly length: number
  /** From where the first section begins. */
  readonly offset: number
  readonly byteLength: number
  readonly xxh32: number
}

/** What an index is, besides its arrays. */
export interface IndexHead {
  readonly rows: number
  readonly width: number
  readonly similarity: Similarity
  /** Where the items came from, for people. */
  readonly source: string
}

export interface IndexManifest extends IndexHead {
  readonly format: typeof FORMAT
  readonly version: number
  readonly generator: string
  /** Another one each time the file is written: a log belongs to one of them. */
  readonly generation: string
  readonly sections: readonly SectionRecord[]
}

export const isDtype = (name: unknown): name is SectionType => typeof name === 'string' && Object.hasOwn(ARRAYS, name)

/** The name of an array's kind in the manifest. */
export function dtypeOf(array: SectionArray): SectionType {
  const found = (Object.keys(ARRAYS) as SectionType[]).find((name) => array instanceof ARRAYS[name])
  if (found === undefined) throw new TypeError(`${(array as object).constructor.name} is no array of an index`)
  return found
}
