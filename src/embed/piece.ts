import type { Json } from '../serve/json.ts'

/** A stretch of the input: rows that are embedded together and answered together. */
export interface Piece {
  /** What the input is called in messages. */
  readonly name: string
  /** The number of its first row in the input, from 1. */
  readonly first: number
  /** Whole lines or records as they lie in the file, or rows that were decoded already. */
  readonly body: Uint8Array<ArrayBuffer> | readonly Json[]
}

/** What became of a piece. */
export interface Answer {
  /** Rows that were there; blank lines are none. */
  readonly rows: number
  /** How many of them could not be embedded. */
  readonly failed: number
  /** The answers as they are to be written. */
  readonly text: Uint8Array<ArrayBuffer>
}

/** What is the same for all pieces of a run. */
export interface Job {
  readonly side: 'query' | 'candidate'
  /** Most rows that are embedded together. */
  readonly batch: number
}
