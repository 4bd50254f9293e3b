import { CorruptModelError } from '../errors.ts'
import { damageOf } from './damage.ts'

/**
 * A protobuf message out of `bytes`, by the `decode` of its generated class.
 * @param file the file that holds it, for the errors
 * @param what the message, for the errors
 * @throws {CorruptModelError} where the bytes are not such a message: cut short, nested past 100 levels, another format
 */
export function decodeMessage<M>(decode: (bytes: Uint8Array) => M, bytes: Uint8Array, file: string, what: string): M {
  try {
    return decode(bytes)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const damage = damageOf(bytes) || '; it is cut short, damaged or something else: copy it anew'
    throw new CorruptModelError(file, `not a ${what} message of ${bytes.length} bytes (${why})${damage}`)
  }
}
