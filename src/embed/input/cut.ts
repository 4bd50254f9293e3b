import { concatBytes } from '../../tensor/index.ts'

/** A piece of so many bytes is ended at the next row's end, however few rows it has. */
const MOST_BYTES = 4 << 20
const NEWLINE = 10

/** Whole rows out of a stream. */
export interface Cut {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly rows: number
}

/** Finds where rows end in a stream that is shown to it block by block. */
export interface RowEnds {
  /** The places in `block` behind which a row ends. */
  in(block: Uint8Array): Iterable<number>
  /**
   * The stream is over; how many rows end with it.
   * @param last its last byte
   * @throws {Error} where it may not end here
   */
  over(last: number): number
}

/**
 * Cuts a stream of bytes at the ends of rows; only the last cut may end where no row does.
 * @param most how many rows the next cut may have
 */
export async function* cutRows(
  blocks: AsyncIterable<Uint8Array>,
  ends: RowEnds,
  most: () => number,
): AsyncGenerator<Cut> {
  let [held, heldBytes, rows, wanted] = [[] as Uint8Array[], 0, 0, most()]
  const cut = (end: Uint8Array): Cut => {
    const made = { bytes: concatBytes([...held, end]), rows }
    held = []
    heldBytes = 0
    rows = 0
    return made
  }
  for await (const block of blocks) {
    let start = 0
    for (const end of ends.in(block)) {
      rows++
      if (rows < wanted && heldBytes + end - start < MOST_BYTES) continue
      yield cut(block.subarray(start, end))
      start = end
      wanted = most()
    }
    if (start < block.length) {
      held.push(block.subarray(start))
      heldBytes += block.length - start
    }
  }
  const more = ends.over(held.at(-1)?.at(-1) ?? NEWLINE)
  if (heldBytes === 0) return
  rows += more
  yield cut(new Uint8Array(0))
}

/** A last line may have no line feed. */
export const endOfLine = (last: number): number => (last === NEWLINE ? 0 : 1)

/** Rows that end at line feeds. */
export const LINES: RowEnds = {
  *in(block) {
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, end + 1)) yield end + 1
  },
  over: endOfLine,
}

/** How many line feeds are in `bytes`. */
export function countLines(bytes: Uint8Array): number {
  let count = 0
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) count++
  return count
}
