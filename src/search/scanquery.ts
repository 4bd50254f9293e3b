import type { Pointer } from '../engine/kernels.ts'
import type { CoarseQuery } from './nibbles.ts'
import type { RowSet } from './rowset.ts'

/** A query of a scan. */
export interface Asked {
  /** `float32[width]` */
  readonly query: Float32Array
  readonly k: number
  /** Whether the k with the smallest product or cosine are sought; of distances the smallest are the nearest. */
  readonly farthest: boolean
  /** The items that are asked of; by default all. */
  readonly within?: RowSet | null
}

/** A query under way. */
export interface Search {
  readonly query: Pointer
  readonly coarse: CoarseQuery | null
  /** What a unit of the query's integers is worth. */
  readonly scale: number
  readonly length: number
  readonly doubt: number
  readonly heap: Pointer
  readonly k: number
  readonly within: RowSet | null
  /** The items that are asked of, where they are few. */
  readonly list: Int32Array | null
  /** How many bounds the heap holds. */
  filled: number
  /** What may be among the nearest, as far as was seen, and the most that each can be. */
  readonly rows: number[]
  readonly reach: number[]
  /** How many chunks are still scanned without a coarse look, and how many will be when one leaves too many again. */
  paused: number
  pauses: number
}
