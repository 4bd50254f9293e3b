import { xxh32 } from '../../checksum/xxh32.ts'
import { CorruptModelError } from '../../errors.ts'
import type { ByteSource } from '../../platform/folder.ts'
import type { Datapoint, NumericRestrict } from '../datapoint.ts'

// What was put into an index and taken out since its file was written, in order: a head that names the file's generation,
// then records, each with its length, the length's XXH32 and its own. A kill may leave a part of one more record at the end,
// which was never answered for and is dropped; damage before that is an error.

/** Sixteen bytes that say what it is, then the generation in UTF-8, sixteen bytes too. */
const MAGIC = new TextEncoder().encode('twotower log 2\n\0')
const GENERATION_BYTES = 16
export const HEAD: number = MAGIC.length + GENERATION_BYTES
/** The length of a record, the checksum of these four bytes, and the record's. */
const FRAME = 12
/** Bytes that are read at once. */
const PART = 1 << 20

export type Change =
  | { readonly op: 'upsert'; readonly datapoint: Datapoint }
  | { readonly op: 'remove'; readonly id: string }

export function logHead(generation: string): Uint8Array {
  const head = new Uint8Array(HEAD)
  head.set(MAGIC)
  head.set(new TextEncoder().encode(generation), MAGIC.length)
  return head
}

/** The records of `changes`, one after the other. */
export function logRecords(changes: readonly Change[]): Uint8Array {
  const payloads = changes.map(payloadOf)
  const bytes = new Uint8Array(payloads.reduce((sum, { length }) => sum + FRAME + length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const payload of payloads) {
    view.setUint32(at, payload.length, true)
    view.setUint32(at + 4, sumOf(bytes.subarray(at, at + 4)), true)
    view.setUint32(at + 8, sumOf(payload), true)
    bytes.set(payload, at + FRAME)
    at += FRAME + payload.length
  }
  return bytes
}

/** A log, read piece by piece: it may be as large as all items. */
export class LogReader {
  /** What the log goes on from. */
  readonly generation: string
  private readonly file: string
  private readonly source: ByteSource
  /** The bytes of the head, and of the whole records that were read. */
  private read = HEAD
  /** A part of the file, and where it begins there. */
  private part: Uint8Array = new Uint8Array(0)
  private start = 0

  private constructor(file: string, source: ByteSource, generation: string) {
    this.file = file
    this.source = source
    this.generation = generation
  }

  /**
   * Null where not even the head is whole.
   * @param file for messages
   * @throws {CorruptModelError} where it is no log
   */
  static async open(file: string, source: ByteSource): Promise<LogReader | null> {
    if (source.byteLength < HEAD) return null
    const head = await source.slice(0, HEAD)
    if (MAGIC.some((byte, i) => head[i] !== byte)) throw new CorruptModelError(file, 'is no log of an index')
    return new LogReader(file, source, new TextDecoder().decode(head.subarray(MAGIC.length)).replace(/\0+$/, ''))
  }

  /** The bytes of the head and of whole records, once all changes were read. */
  get length(): number {
    return this.read
  }

  /** @throws {CorruptModelError} where it is damaged before its last record */
  async *changes(): AsyncGenerator<Change> {
    for (let payload = await this.next(); payload !== null; payload = await this.next()) yield changeOf(payload)
  }

  /** Whether it is whole up to `length` bytes, known to be the end of a record, and no whole record follows. */
  async endsAt(length: number): Promise<boolean> {
    if (length > this.source.byteLength) return false
    this.read = Math.max(HEAD, length)
    return (await this.next()) === null
  }

  /** The next record, a view until the one after it is read; null at the end. */
  private async next(): Promise<Uint8Array | null> {
    const [at, end] = [this.read, this.source.byteLength]
    if (at + FRAME > end) return null
    const frame = await this.bytes(at, FRAME)
    const view = new DataView(frame.buffer, frame.byteOffset)
    const [length, lengthSum, sum] = [0, 4, 8].map((offset) => view.getUint32(offset, true))
    if (sumOf(frame.subarray(0, 4)) !== lengthSum) {
      // A power cut may leave zeros where a record was to be.
      if (await this.isZeros(at)) return null
      throw damaged(this.file, at)
    }
    const next = at + FRAME + length
    if (next > end) return null
    const payload = await this.bytes(at + FRAME, length)
    if (sumOf(payload) !== sum) {
      if (next === end) return null
      throw damaged(this.file, at)
    }
    this.read = next
    return payload
  }

  private async isZeros(from: number): Promise<boolean> {
    const { byteLength } = this.source
    for (let at = from; at < byteLength; at += PART)
      if ((await this.source.slice(at, Math.min(at + PART, byteLength))).some((byte) => byte !== 0)) return false
    return true
  }

  /** The `length` bytes from `at` on, which the file has; a view. */
  private async bytes(at: number, length: number): Promise<Uint8Array> {
    if (at < this.start || at + length > this.start + this.part.length) {
      this.part = await this.source.slice(at, Math.min(at + Math.max(length, PART), this.source.byteLength))
      this.start = at
    }
    return this.part.subarray(at - this.start, at - this.start + length)
  }
}

const sumOf = (bytes: Uint8Array): number => xxh32().add(bytes).value

const damaged = (file: string, at: number): CorruptModelError =>
  new CorruptModelError(
    file,
    `the record at byte ${at} is damaged: cut the file to ${at} bytes to go on with what was changed before it`,
  )

/** A record: the length of its JSON, the JSON, and of an upsert the vector. */
function payloadOf(change: Change): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(jsonOf(change)))
  const vector = change.op === 'upsert' ? change.datapoint.embedding : new Float32Array(0)
  const payload = new Uint8Array(4 + text.length + vector.byteLength)
  new DataView(payload.buffer).setUint32(0, text.length, true)
  payload.set(text, 4)
  payload.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), 4 + text.length)
  return payload
}

/** Numbers as text: JSON has neither int64 nor infinities. */
interface NumberRecord {
  readonly namespace: string
  readonly type: NumericRestrict['type']
  readonly value: string
}

function jsonOf(change: Change): object {
  if (change.op === 'remove') return change
  const { embedding: _, numericRestricts, ...rest } = change.datapoint
  const numbers = numericRestricts?.map(
    ({ value, ...restrict }): NumberRecord => ({ ...restrict, value: String(value) }),
  )
  return { op: 'upsert', ...rest, ...(numbers !== undefined && { numericRestricts: numbers }) }
}

function changeOf(payload: Uint8Array): Change {
  const length = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)
  const json = JSON.parse(new TextDecoder().decode(payload.subarray(4, 4 + length)))
  if (json.op === 'remove') return { op: 'remove', id: json.id }
  const { op: _, numericRestricts, ...rest } = json
  const numbers = numericRestricts?.map(
    ({ value, ...restrict }: NumberRecord) =>
      ({ ...restrict, value: restrict.type === 'int' ? BigInt(value) : Number(value) }) as NumericRestrict,
  )
  // A copy, so that it is aligned; a Buffer's slice is none.
  const embedding = new Float32Array(new Uint8Array(payload.subarray(4 + length)).buffer)
  return {
    op: 'upsert',
    datapoint: { ...rest, ...(numbers !== undefined && { numericRestricts: numbers }), embedding },
  }
}
