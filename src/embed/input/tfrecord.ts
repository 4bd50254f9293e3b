import { crc32c, masked } from '../../checksum/crc32c.ts'
import type { Json } from '../../json/parse.ts'
import { type Feature, kindOf, readBytes, readFeatures, readFloats, readInts } from '../../ops/examples/wire.ts'
import { utf8 } from '../../tensor/index.ts'
import type { NumberedRow } from '../piece.ts'
import type { RowEnds } from './cut.ts'

// TFRecord (tensorflow/core/lib/io/record_writer.h): a length in eight bytes, its masked CRC-32C, as many bytes, theirs.

const HEAD = 12
const FOOT = 4
/** No record of a catalogue is longer: a longer one is a length that is damaged. */
const LONGEST = 2 ** 31

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The ends of records. The checksum of each length is held, because a wrong one would lead anywhere. */
export function recordEnds(): RowEnds {
  const head = new Uint8Array(HEAD)
  let [filled, left, number] = [0, 0, 1]
  return {
    *in(block) {
      for (let at = 0; at < block.length; ) {
        if (left === 0) {
          const taken = Math.min(HEAD - filled, block.length - at)
          head.set(block.subarray(at, at + taken), filled)
          filled += taken
          at += taken
          if (filled < HEAD) return
          left = lengthIn(head, number) + FOOT
          filled = 0
        }
        const passed = Math.min(left, block.length - at)
        left -= passed
        at += passed
        if (left > 0) return
        number++
        yield at
      }
    },
    over() {
      if (filled > 0 || left > 0) throw new Error(`the file ends in the middle of record ${number}`)
      return 0
    },
  }
}

function lengthIn(head: Uint8Array, number: number): number {
  const view = viewOf(head)
  if (view.getUint32(8, true) !== masked(crc32c(head.subarray(0, 8))))
    throw new Error(`record ${number}: the checksum of its length is wrong; the file is damaged or no TFRecord`)
  const length = Number(view.getBigUint64(0, true))
  if (length > LONGEST) throw new Error(`record ${number} has ${length} bytes; at most ${LONGEST} are read`)
  return length
}

/**
 * The records in `bytes`, each a tf.Example.
 * @param first the number of the first one
 */
export function readRecords(bytes: Uint8Array, first: number): NumberedRow[] {
  const view = viewOf(bytes)
  const rows: NumberedRow[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEAD + Number(view.getBigUint64(at, true))
    const data = bytes.subarray(at + HEAD, end)
    const stored = view.getUint32(end, true)
    rows.push({ number: first + rows.length, json: () => example(data, stored) })
    at = end + FOOT
  }
  return rows
}

/** A tf.Example as a row: a feature of one value is that value, one of none is left out. */
function example(data: Uint8Array, stored: number): Json {
  if (masked(crc32c(data)) !== stored) throw new Error("the record is damaged: its checksum is not its bytes'")
  const features = readFeatures(data)
  if (features === null) throw new Error('the record is no tf.Example')
  const members: [string, Json][] = []
  for (const feature of features) {
    const values = valuesOf(feature)
    const name = utf8(Uint8Array.from(feature.name, (char) => char.charCodeAt(0))) ?? feature.name
    if (values === null) throw new Error(`feature "${name}" of the tf.Example is malformed`)
    if (values.length > 0) members.push([name, values.length === 1 ? values[0] : values])
  }
  // Not by assignment: a feature may be called __proto__.
  return Object.fromEntries(members)
}

function valuesOf(feature: Feature): readonly Json[] | null {
  const kind = kindOf(feature)
  if (kind === null) return []
  if (kind === undefined) return null
  if (kind === 'float32') return readFloats(feature)
  if (kind === 'int64') return readInts(feature)?.map((value) => small(BigInt.asIntN(64, value))) ?? null
  return readBytes(feature)?.map((bytes) => utf8(bytes) ?? { b64: base64(bytes) }) ?? null
}

const small = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value)

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
