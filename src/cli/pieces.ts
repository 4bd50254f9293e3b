import { createReadStream } from 'node:fs'
import { cutLines } from '../embed/cut.ts'
import type { Piece } from '../embed/piece.ts'

/** How much of a file is read at a time. */
const BLOCK = 1 << 20

/** The files' lines in pieces of at most `batch`, one file after the other; standard input where there are none, or a file is `-`. */
export async function* piecesOf(files: readonly string[], batch: number): AsyncGenerator<Piece> {
  for (const file of files.length === 0 ? ['-'] : files) {
    const [name, blocks] =
      file === '-' ? ['standard input', process.stdin] : [file, createReadStream(file, { highWaterMark: BLOCK })]
    let first = 1
    try {
      for await (const { bytes, lines } of cutLines(blocks, () => batch)) {
        yield { name, first, body: bytes }
        first += lines
      }
    } catch (error) {
      // What Node says of a read does not name the file.
      throw (error as NodeJS.ErrnoException).code === 'EISDIR' ? new Error(`"${name}" is a folder, not a file`) : error
    }
  }
}
