import type { DType, ReadDType } from '../tensor/index.ts'

// The flat format: manifest.json describes, weights.bin holds. docs/weights.md says the same for readers in other
// languages; a change here is a change there.

export const FORMAT = 'twotower'
/** Raised when a reader of the old version would misread the new one. */
export const VERSION = 2
export const MANIFEST = 'manifest.json'
export const WEIGHTS = 'weights.bin'
/** Every array starts at a multiple of this many bytes, a cache line: aligned for any SIMD load. */
export const ALIGNMENT = 64

export interface Manifest {
  /** XXH32 of the text that follows on this member and its comma; in the text alone, where it comes first. */
  readonly xxh32?: number
  readonly format: typeof FORMAT
  readonly version: number
  /** Who wrote it. */
  readonly generator: string
  /** Where the model came from, for people. */
  readonly source: string
  readonly weights: {
    readonly file: string
    readonly byteLength: number
    /** So many bytes from the start are arrays that kernels read, and nothing else: to be read to where kernels see them. */
    readonly linear?: number
  }
  readonly arrays: readonly ArrayRecord[]
  readonly resources: readonly ResourceRecord[]
  readonly signatures: readonly SignatureRecord[]
  readonly towers: TowersRecord
  /** Declared preprocessing of raw features, as in preprocess.json. */
  readonly preprocess?: unknown
}

/** One array of weights.bin. A string array is its bytes (`offset`, `byteLength`) and, at `ends`, length + 1 uint32 offsets. */
export interface ArrayRecord {
  /** The variable that it was, or the constant's node. */
  readonly name: string
  readonly dtype: ReadDType
  readonly shape: readonly number[]
  readonly offset: number
  readonly byteLength: number
  readonly ends?: number
  /** XXH32 of the bytes, and for strings of the bytes and then the offsets. */
  readonly xxh32: number
}

/** A lookup table or a variable that graphs share. Numbers are positions in `arrays`. */
export type ResourceRecord =
  | {
      readonly kind: 'static-table'
      readonly name: string
      readonly keys: number
      readonly values: number
      readonly slots: number
    }
  | {
      readonly kind: 'mutable-table'
      readonly name: string
      readonly keys: number
      readonly values: number
      readonly valueShape: readonly number[]
      /** Keys that may not be looked up. */
      readonly reserved: readonly number[]
    }
  | { readonly kind: 'variable'; readonly name: string; readonly dtype: DType; readonly value: number | null }

export interface PortRecord {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly (number | null)[] | null
  readonly fallback?: number
  readonly features?: Readonly<Record<string, DType>>
}

export interface SignatureRecord {
  readonly name: string
  readonly method: string
  readonly inputs: readonly PortRecord[]
  readonly outputs: readonly PortRecord[]
  readonly graph: GraphRecord
}

export interface GraphRecord {
  /** Positions in `nodes`, one an input. */
  readonly parameters: readonly number[]
  readonly nodes: readonly NodeRecord[]
  readonly outputs: readonly ValueRecord[]
}

/** Output `index` of the node at `node`. */
export type ValueRecord = readonly [node: number, index: number]

export interface NodeRecord {
  readonly name: string
  readonly op: string
  readonly inputs?: readonly ValueRecord[]
  readonly controls?: readonly number[]
  readonly attrs?: Readonly<Record<string, AttrRecord>>
}

/** An attribute: plain JSON where JSON has it, else an object that says what it is. */
export type AttrRecord =
  | string
  | number
  | boolean
  | { readonly bytes: string }
  | { readonly int: string }
  | { readonly float: 'NaN' | 'Infinity' | '-Infinity' | '-0' }
  | { readonly shape: readonly (number | null)[] | null }
  | { readonly array: number }
  | { readonly resource: number }
  | { readonly graph: GraphRecord }
  | readonly AttrRecord[]

export interface TowersRecord {
  readonly query: TowerRecord | null
  readonly candidate: TowerRecord | null
  readonly similarity: {
    readonly metric: string
    readonly scale: number
    readonly bias: number
    readonly sigmoid: boolean
  } | null
  readonly joint: { readonly signature: string; readonly output: string } | null
  readonly notes: readonly string[]
}

export interface TowerRecord {
  readonly signature: string
  readonly inputs: readonly PortRecord[]
  readonly output: PortRecord
  /** The position in `signatures` of the one that has the same graph, where there is one. */
  readonly graph: GraphRecord | number
}
