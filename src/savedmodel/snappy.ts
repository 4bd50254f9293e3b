import { uncompress } from 'snappyjs'
import { Cursor } from './cursor.ts'

const LITERAL = 0
const COPY_1 = 1

/**
 * The bytes that a raw Snappy stream holds (snappy/format_description.txt).
 *
 * The stream is walked before anything is allocated: its elements must stay inside the stream, copy only what is already
 * written, and add up to the size that the stream declares. snappyjs checks none of the three fully, and a crafted
 * literal length makes it step backwards for ever.
 */
export function unsnap(stream: Uint8Array, failure: (problem: string) => Error): Uint8Array {
  const cursor = new Cursor(stream, failure)
  const declared = cursor.varint()
  let produced = 0
  while (cursor.left > 0) {
    const tag = cursor.fixed(1)
    const kind = tag & 3
    let length = (tag >>> 2) + 1
    if (kind === LITERAL) {
      if (length > 60) length = cursor.fixed(length - 60) + 1
      cursor.take(length)
    } else {
      if (kind === COPY_1) length = ((tag >>> 2) & 7) + 4
      const offset = kind === COPY_1 ? (tag >>> 5) * 256 + cursor.fixed(1) : cursor.fixed(kind === 2 ? 2 : 4)
      if (offset === 0 || offset > produced) {
        throw failure(`a Snappy copy reaches ${offset} bytes back where ${produced} are written`)
      }
    }
    produced += length
  }
  if (produced !== declared) throw failure(`a Snappy block declares ${declared} bytes and holds ${produced}`)
  try {
    return uncompress(stream)
  } catch (error) {
    throw failure(`a Snappy block cannot be read: ${error}`)
  }
}
