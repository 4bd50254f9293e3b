import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { type Cut, countLines, cutRows, LINES, type RowEnds } from '../embed/input/cut.ts'
import { notLines } from '../embed/input/notlines.ts'
import type { Position } from '../embed/journal.ts'
import type { Piece } from '../embed/piece.ts'
import { openRanges } from '../platform/noderanges.ts'
import type { EmbedInput } from './embedinputs.ts'
import { named, standardInput } from './stdio.ts'

/** How much of a file is read at a time. */
const BLOCK = 1 << 20

/** How rows are taken together. */
export interface Taking {
  /** Most rows of a piece. */
  readonly batch: number
  /** No piece holds rows of two shards of so many. */
  readonly shard: number
  /** The columns that are wanted of a format that has columns; null for all. */
  readonly columns: readonly string[] | null
}

/** A piece, and where the input goes on after it. */
export interface Placed {
  readonly piece: Piece
  readonly after: Position
}

/** The inputs' rows in pieces from `at` on, one input after the other. */
export async function* piecesOf(inputs: readonly EmbedInput[], taking: Taking, at: Position): AsyncGenerator<Placed> {
  let { rows, offset, first } = at
  const left = () => taking.shard - (rows % taking.shard)
  const most = () => Math.min(taking.batch, left())
  for (let input = at.input; input < inputs.length; input++) {
    const { name, format } = inputs[input]
    // Of Parquet more rows are decoded at once than are embedded together.
    const size = format === 'parquet' ? left : most
    try {
      for await (const part of partsOf(inputs[input], offset, size, taking.columns)) {
        // The line of column names is no row of CSV.
        const piece = { name, format, header: part.header, body: part.body, first: first + part.before }
        first += part.before + part.lines
        offset = part.next
        rows += part.rows
        yield { piece, after: { input, offset, first, rows } }
      }
    } catch (error) {
      const { syscall, message } = error as NodeJS.ErrnoException
      // What a format says does not name the file.
      throw syscall === undefined ? new Error(`${name}: ${message}`) : named(error, name)
    }
    offset = 0
    first = 1
  }
}

/** A part of one input. */
interface Part {
  readonly body: Piece['body']
  readonly header: readonly string[]
  readonly rows: number
  /** The lines before it that are no rows, and its own. */
  readonly before: number
  readonly lines: number
  /** Where the input goes on: a byte, or of Parquet a row. */
  readonly next: number
}

const blocksOf = (file: string, start: number): Readable =>
  file === '-' ? standardInput() : createReadStream(file, { start, highWaterMark: BLOCK })

/** The same of lines of text. @throws {TypeError} where the file begins as one that holds none */
async function* textBlocksOf(file: string, start: number): AsyncGenerator<Uint8Array> {
  let atStart = start === 0
  for await (const block of blocksOf(file, start) as AsyncIterable<Uint8Array>) {
    const refusal = atStart ? notLines(block) : null
    if (refusal !== null) throw new TypeError(refusal)
    atStart = false
    yield block
  }
}

async function* partsOf(
  { file, format }: EmbedInput,
  offset: number,
  most: () => number,
  columns: readonly string[] | null,
): AsyncGenerator<Part> {
  if (format === 'parquet') yield* parquetParts(file, offset, most, columns)
  else if (format === 'csv' || format === 'tsv') yield* csvParts(file, offset, most, format === 'csv' ? ',' : '\t')
  else {
    const records = format === 'tfrecord'
    const ends = records ? (await import('../embed/input/tfrecord.ts')).recordEnds() : LINES
    const blocks = records ? blocksOf(file, offset) : textBlocksOf(file, offset)
    let next = offset
    for await (const { bytes, rows } of cutRows(blocks, ends, most)) {
      next += bytes.length
      yield { body: bytes, header: [], rows, before: 0, lines: rows, next }
    }
  }
}

async function* csvParts(
  file: string,
  offset: number,
  most: () => number,
  delimiter: ',' | '\t',
): AsyncGenerator<Part> {
  const { csvEnds, csvHeader } = await import('../embed/input/csv.ts')
  const cuts = (start: number, ends: RowEnds, size: () => number) => cutRows(textBlocksOf(file, start), ends, size)
  let header: readonly string[] | null = null
  let [next, before] = [0, 0]
  const headerOf = ({ bytes }: Cut): void => {
    header = csvHeader(bytes, delimiter)
    next = bytes.length
    before = countLines(bytes)
  }
  if (offset > 0) {
    for await (const cut of cuts(0, csvEnds(delimiter), () => 1)) {
      headerOf(cut)
      break
    }
    next = offset
    before = 0
  }
  for await (const cut of cuts(next, csvEnds(delimiter), () => (header === null ? 1 : most()))) {
    if (header === null) {
      headerOf(cut)
      continue
    }
    const { bytes, rows } = cut
    next += bytes.length
    yield { body: bytes, header, rows, before, lines: countLines(bytes), next }
    before = 0
  }
}

async function* parquetParts(
  file: string,
  offset: number,
  most: () => number,
  columns: readonly string[] | null,
): AsyncGenerator<Part> {
  const { parquetStretches } = await import('../embed/input/parquet.ts')
  const ranges = openRanges(file)
  try {
    for await (const { start, end } of parquetStretches(ranges, offset, most)) {
      const rows = end - start
      yield { body: { path: file, start, end, columns }, header: [], rows, before: 0, lines: rows, next: end }
    }
  } finally {
    ranges.close()
  }
}
