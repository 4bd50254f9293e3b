import { createReadStream } from 'node:fs'
import { cutLines } from '../embed/cut.ts'
import type { Position } from '../embed/journal.ts'
import type { Piece } from '../embed/piece.ts'

/** How much of a file is read at a time. */
const BLOCK = 1 << 20

/** How rows are taken together. */
export interface Sizes {
  /** Most rows of a piece. */
  readonly batch: number
  /** No piece holds rows of two shards of so many. */
  readonly shard: number
}

/** A piece, and where the input goes on after it. */
export interface Placed {
  readonly piece: Piece
  readonly after: Position
}

/** The files' rows in pieces from `at` on, one file after the other; `-` is standard input. */
export async function* piecesOf(
  files: readonly string[],
  { batch, shard }: Sizes,
  at: Position,
): AsyncGenerator<Placed> {
  let [rows, offset, first] = [at.rows, at.offset, at.first]
  for (let input = at.input; input < files.length; input++) {
    const file = files[input]
    const [name, blocks] =
      file === '-'
        ? ['standard input', process.stdin]
        : [file, createReadStream(file, { start: offset, highWaterMark: BLOCK })]
    try {
      for await (const { bytes, lines } of cutLines(blocks, () => Math.min(batch, shard - (rows % shard)))) {
        const piece = { name, first, body: bytes }
        first += lines
        offset += bytes.length
        rows += lines
        yield { piece, after: { input, offset, first, rows } }
      }
    } catch (error) {
      // What Node says of a read does not name the file.
      throw (error as NodeJS.ErrnoException).code === 'EISDIR' ? new Error(`"${name}" is a folder, not a file`) : error
    }
    offset = 0
    first = 1
  }
}
