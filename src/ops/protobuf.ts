import { InvalidArgumentError } from '../errors.ts'

/** One field of a protobuf message: a varint or float as a number, bytes (a string, a message) as a view. */
export interface Field {
  readonly field: number
  /** A varint's low 32 bits, signed; a 32-bit float; 0 for bytes. */
  readonly number: number
  /** Empty but for a length-delimited field. */
  readonly bytes: Uint8Array
}

const NONE = new Uint8Array(0)

/**
 * The fields of a message in their order (protobuf's encoding document), for the models that ops hold as bytes. 64-bit
 * fields are passed over.
 * @throws {InvalidArgumentError} where `message` is no protobuf message
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= message.length) break
      const byte = message[at++]
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw malformed(at)
  }
  const skip = (length: number): number => {
    const start = at
    if (length < 0 || start + length > message.length) throw malformed(start)
    at += length
    return start
  }
  while (at < message.length) {
    const tag = varint() >>> 0
    const field = tag >>> 3
    switch (tag & 7) {
      case 0:
        yield { field, number: varint(), bytes: NONE }
        break
      case 1:
        skip(8)
        break
      case 2: {
        const start = skip(varint())
        yield { field, number: 0, bytes: message.subarray(start, at) }
        break
      }
      case 5:
        yield { field, number: view.getFloat32(skip(4), true), bytes: NONE }
        break
      default:
        throw malformed(at)
    }
  }
}

/** Where of a field of one message only the last counts: the bytes of `field`, or nothing where there is none. */
export function messageAt(message: Uint8Array, field: number): Uint8Array | null {
  let found: Uint8Array | null = null
  for (const each of fieldsOf(message)) if (each.field === field) found = each.bytes
  return found
}

/** The number of `field`, or `fallback`. */
export function numberAt(message: Uint8Array, field: number, fallback: number): number {
  let found = fallback
  for (const each of fieldsOf(message)) if (each.field === field) found = each.number
  return found
}

const malformed = (at: number) => new InvalidArgumentError(`the protobuf message is damaged at byte ${at}`)

/** The messages of a repeated field. */
export const messagesAt = (message: Uint8Array, field: number): Uint8Array[] =>
  [...fieldsOf(message)].flatMap((each) => (each.field === field ? [each.bytes] : []))
