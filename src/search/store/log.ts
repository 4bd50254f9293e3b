import { xxh32 } from '../../checksum/xxh32.ts'
import { CorruptModelError } from '../../errors.ts'
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

export type Change =
  | { readonly op: 'upsert'; readonly datapoint: Datapoint }
  | { readonly op: 'remove'; readonly id: string }

export interface ReadLog {
  readonly generation: string
  /** Read as they are asked for: all of them at once would take several times the bytes. */
  readonly changes: Iterable<Change>
  /** The bytes of the head and of whole records. */
  readonly length: number
}

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

/**
 * Reads a log; null where not even its head is whole.
 * @param file for messages
 * @throws {CorruptModelError} where it is no log, or is damaged before its last record
 */
export function readLog(file: string, bytes: Uint8Array): ReadLog | null {
  if (bytes.length < HEAD) return null
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw new CorruptModelError(file, 'is no log of an index')
  const generation = new TextDecoder().decode(bytes.subarray(MAGIC.length, HEAD)).replace(/\0+$/, '')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const payloads: [start: number, end: number][] = []
  let at = HEAD
  while (at + FRAME <= bytes.length) {
    const length = view.getUint32(at, true)
    if (sumOf(bytes.subarray(at, at + 4)) !== view.getUint32(at + 4, true)) {
      // A power cut may leave zeros where a record was to be.
      if (bytes.subarray(at).every((byte) => byte === 0)) break
      throw damaged(file, at)
    }
    const end = at + FRAME + length
    if (end > bytes.length) break
    const payload = bytes.subarray(at + FRAME, end)
    if (sumOf(payload) !== view.getUint32(at + 8, true)) {
      if (end === bytes.length) break
      throw damaged(file, at)
    }
    payloads.push([at + FRAME, end])
    at = end
  }
  function* changes(): Generator<Change> {
    for (const [start, end] of payloads) yield changeOf(bytes.subarray(start, end))
  }
  return { generation, changes: changes(), length: at }
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
