import type { Json } from '../json/parse.ts'
import type { Side } from './row.ts'
import type { LookupCounts } from './unknown.ts'

/** How rows are written in an input. */
export type InputFormat = 'jsonl' | 'csv' | 'tsv' | 'parquet' | 'tfrecord'

/** Rows `start` up to `end` of a file that is read by ranges. */
export interface RowRange {
  readonly path: string
  readonly start: number
  readonly end: number
  /** The columns that are wanted; null for all. */
  readonly columns: readonly string[] | null
}

/** A stretch of the input: rows that are embedded together and answered together. */
export interface Piece {
  /** What the input is called in messages. */
  readonly name: string
  /** The number of its first line, record or row in the input, from 1. */
  readonly first: number
  readonly format: InputFormat
  /** The columns of CSV. */
  readonly header: readonly string[]
  /** Whole lines or records as they lie in the file, or where rows lie that are read where they are answered. */
  readonly body: Uint8Array<ArrayBuffer> | RowRange
}

/** A row of a piece. */
export interface NumberedRow {
  /** The number of its line, record or row in the input, from 1. */
  readonly number: number
  /** @throws {Error} where it cannot be read */
  json(): Json
}

/** How answers are laid out: as lines, or as bare vectors with their ids. */
export type AnswerLayout = 'plain' | 'vector-search' | 'batch-prediction' | 'vectors'

/** What became of a piece. */
export interface Answer {
  /** Rows that were there; blank lines are none. */
  readonly rows: number
  /** How many of them could not be embedded. */
  readonly failed: number
  /** Answers that are lines, as they are to be written. */
  readonly text: Uint8Array<ArrayBuffer>
  /** Answers that are vectors, one after the other, and what each row is called. */
  readonly vectors: Float32Array<ArrayBuffer>
  readonly ids: readonly (string | null)[]
  /** Lookups in vocabularies. */
  readonly lookups: LookupCounts
  /** A line of JSON a row that failed, where these stand apart. */
  readonly errors: Uint8Array<ArrayBuffer>
}

/** What is the same for all pieces of a run. */
export interface Job {
  readonly side: Side
  /** The formats of the inputs. */
  readonly formats: readonly InputFormat[]
  /** Most rows that are embedded together. */
  readonly batch: number
  readonly layout: AnswerLayout
  /** Whether a bad row is answered in its place, or elsewhere. */
  readonly errors: 'in place' | 'apart'
}
