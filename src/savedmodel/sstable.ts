// The sorted table of a checkpoint's index: LevelDB's format (leveldb/doc/table_format.md) as tensorflow/core/lib/io
// writes it.
//
//   file   = data block … metaindex block, index block, footer
//   block  = contents, 1 byte compression (0 none, 1 Snappy), fixed32 masked CRC-32C of contents and compression byte
//   contents = entries, fixed32 restart offsets, fixed32 number of restarts
//   entry  = varint shared, varint unshared, varint value size, unshared key bytes, value
//   footer = metaindex handle, index handle (varint offset, varint size), padding to 40 bytes, 8 bytes of magic

import { crc32c, masked } from '../checksum/crc32c.ts'
import { CorruptModelError } from '../errors.ts'
import { Cursor } from './cursor.ts'
import { unsnap } from './snappy.ts'

/** One pair of the table; the bytes are views. */
export interface TableEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

const FOOTER = 48
const TRAILER = 5
/** 0xdb4775248b80fb57, little-endian. */
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** Most bytes that the keys may take once their shared prefixes are written out, so that a small file stays small. */
const MOST_KEY_BYTES = 2 ** 28

/**
 * All entries of the table in their order, every checksum verified.
 * @param file its name, for the errors
 * @throws {CorruptModelError} where the table is damaged, cut short, or not sorted
 */
export function readTable(bytes: Uint8Array, file: string): TableEntry[] {
  const failure = (problem: string): CorruptModelError => new CorruptModelError(file, problem)
  if (bytes.length < FOOTER) throw failure(`a checkpoint index has at least ${FOOTER} bytes, got ${bytes.length}`)
  const footer = bytes.subarray(bytes.length - FOOTER)
  if (MAGIC.some((byte, i) => footer[FOOTER - 8 + i] !== byte)) {
    throw failure(
      'not a checkpoint index: the magic number at its end is missing, so it is cut short or another format',
    )
  }
  const handles = new Cursor(footer.subarray(0, FOOTER - 8), failure)
  readHandle(handles)
  const index = blockEntries(readBlock(bytes, readHandle(handles), failure), failure)

  const entries: TableEntry[] = []
  let free = 0
  let keyBytes = 0
  let last: Uint8Array | null = null
  for (const { value } of index) {
    const handle = readHandle(new Cursor(value, failure))
    if (handle.offset < free) throw failure(`the data block at byte ${handle.offset} lies over the one before it`)
    free = handle.offset + handle.size + TRAILER
    for (const entry of blockEntries(readBlock(bytes, handle, failure), failure)) {
      keyBytes += entry.key.length
      if (keyBytes > MOST_KEY_BYTES) throw failure(`its keys take more than ${MOST_KEY_BYTES} bytes`)
      if (last !== null && compare(last, entry.key) >= 0) throw failure(`its keys are not in ascending order`)
      last = entry.key
      entries.push(entry)
    }
  }
  return entries
}

interface Handle {
  readonly offset: number
  readonly size: number
}

function readHandle(cursor: Cursor): Handle {
  const offset = cursor.varint()
  return { offset, size: cursor.varint() }
}

/** The contents of the block at `handle`, verified and uncompressed. */
function readBlock(bytes: Uint8Array, { offset, size }: Handle, failure: (problem: string) => Error): Uint8Array {
  if (offset + size + TRAILER > bytes.length - FOOTER) {
    throw failure(`a block of ${size} bytes at byte ${offset} does not fit into ${bytes.length} bytes`)
  }
  const contents = bytes.subarray(offset, offset + size)
  const stored = new Cursor(bytes.subarray(offset + size + 1), failure).fixed(4)
  const computed = masked(crc32c(bytes.subarray(offset, offset + size + 1)))
  if (stored !== computed) {
    throw failure(
      `the block at byte ${offset} is damaged: its checksum is ${hex(stored)}, its bytes give ${hex(computed)}`,
    )
  }
  const compression = bytes[offset + size]
  if (compression === 0) return contents
  if (compression === 1) return unsnap(contents, failure)
  throw failure(`the block at byte ${offset} has compression ${compression}; 0 (none) and 1 (Snappy) are defined`)
}

/** The entries of a block from front to back, so the restart points (for seeking) are only stepped over. */
function* blockEntries(contents: Uint8Array, failure: (problem: string) => Error): Generator<TableEntry> {
  if (contents.length < 4) throw failure(`a block of ${contents.length} bytes has no restart count`)
  const restarts = new Cursor(contents.subarray(contents.length - 4), failure).fixed(4)
  const end = contents.length - 4 * (restarts + 1)
  if (end < 0) throw failure(`a block of ${contents.length} bytes cannot hold ${restarts} restarts`)
  const cursor = new Cursor(contents.subarray(0, end), failure)
  let previous = new Uint8Array(0)
  while (cursor.left > 0) {
    const shared = cursor.varint()
    const unshared = cursor.varint()
    const valueSize = cursor.varint()
    if (shared > previous.length) throw failure(`a key shares ${shared} bytes with one of ${previous.length}`)
    const rest = cursor.take(unshared)
    const key = new Uint8Array(shared + unshared)
    key.set(previous.subarray(0, shared))
    key.set(rest, shared)
    previous = key
    yield { key, value: cursor.take(valueSize) }
  }
}

/** The order of the bytes, as memcmp has it; a prefix comes first. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}

const hex = (crc: number): string => `0x${crc.toString(16).padStart(8, '0')}`
