import { type Json, parseJson } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { isMembers, type Members } from '../serve/values.ts'

// The journal of a run that can be gone on with: lines of JSON, first what the run was started on, then, each appended
// once everything before it is on the disk, how far it is. What was written past the last line is cut off and done again,
// so that nothing is lost and nothing stands twice.

/** Where in the inputs the next piece begins. */
export interface Position {
  /** Which of the inputs. */
  readonly input: number
  /** The byte, or in a format that is no stream of bytes the row. */
  readonly offset: number
  /** The number of its first row in the input, from 1. */
  readonly first: number
  /** Rows of all inputs before it, blank lines included. */
  readonly rows: number
}

export const START: Position = { input: 0, offset: 0, first: 1, rows: 0 }

/** How far a run is. */
export interface Checkpoint {
  readonly at: Position
  /** Which file of the output is being written, from 0. */
  readonly shard: number
  /** The bytes of that file and what lies beside it; empty where it is not begun. */
  readonly sizes: readonly number[]
  /** The bytes of the file of bad rows. */
  readonly errors: number
  /** What the format of the output needs to go on in the file. */
  readonly state: Json
  /** Rows that were answered, and how many of them failed. */
  readonly answered: number
  readonly failed: number
  /** True where nothing is left but to give the files their names. */
  readonly done: boolean
}

export const FRESH: Checkpoint = {
  at: START,
  shard: 0,
  sizes: [],
  errors: 0,
  state: null,
  answered: 0,
  failed: 0,
  done: false,
}

/** What a run was started on; it must be the same for the run to be gone on with. */
export type Origin = Readonly<Record<string, Json>>

export interface Journal {
  readonly origin: Origin
  /** In the order in which they were made. */
  readonly checkpoints: readonly Checkpoint[]
  /** The bytes of its whole lines: a kill may have left a part of one more. */
  readonly length: number
}

/** Reads a journal's bytes; null where not even its first line is whole. @throws {SyntaxError} where a whole line is no JSON */
export function readJournal(bytes: Uint8Array): Journal | null {
  const length = bytes.lastIndexOf(10) + 1
  if (length === 0) return null
  const lines = new TextDecoder()
    .decode(bytes.subarray(0, length - 1))
    .split('\n')
    .map((line) => parseJson(line))
  const [origin, ...checkpoints] = lines
  if (!isMembers(origin)) throw new SyntaxError('the first line is no JSON object')
  return { origin, checkpoints: checkpoints as unknown as Checkpoint[], length }
}

export const journalLine = (line: Origin | Checkpoint): string => `${jsonText(line as unknown as Members)}\n`

/** What differs between what a run was started on and what it is to be gone on with, by name. */
export function changes(before: Origin, now: Origin): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  return [...names].filter((name) => jsonText(before[name] ?? null) !== jsonText(now[name] ?? null))
}
