const NEWLINE = 10
/** A piece of so many bytes is ended at the next line's end, however few lines it has. */
const MOST_BYTES = 4 << 20

/** Whole lines out of a stream. */
export interface Cut {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly lines: number
}

/**
 * Cuts a stream of bytes at the ends of lines; only the last cut may end without a line feed.
 * @param most how many lines the next cut may have
 */
export async function* cutLines(blocks: AsyncIterable<Uint8Array>, most: () => number): AsyncGenerator<Cut> {
  let [held, heldBytes, lines, wanted] = [[] as Uint8Array[], 0, 0, most()]
  const cut = (end: Uint8Array): Cut => {
    const bytes = new Uint8Array(heldBytes + end.length)
    let at = 0
    for (const piece of [...held, end]) {
      bytes.set(piece, at)
      at += piece.length
    }
    const made = { bytes, lines }
    held = []
    heldBytes = 0
    lines = 0
    return made
  }
  for await (const block of blocks) {
    let start = 0
    for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, end + 1)) {
      lines++
      if (lines < wanted && heldBytes + end - start < MOST_BYTES) continue
      yield cut(block.subarray(start, end + 1))
      start = end + 1
      wanted = most()
    }
    if (start < block.length) {
      held.push(block.subarray(start))
      heldBytes += block.length - start
    }
  }
  if (heldBytes > 0) {
    if (held[held.length - 1].at(-1) !== NEWLINE) lines++
    yield cut(new Uint8Array(0))
  }
}
