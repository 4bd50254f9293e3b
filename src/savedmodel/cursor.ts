/** Reads the small integers of LevelDB's formats from front to back and fails at the end of the bytes. */
export class Cursor {
  position = 0
  private readonly bytes: Uint8Array
  private readonly failure: (problem: string) => Error

  /** @param failure makes the error that is thrown where the bytes do not hold what is asked for */
  constructor(bytes: Uint8Array, failure: (problem: string) => Error) {
    this.bytes = bytes
    this.failure = failure
  }

  get left(): number {
    return this.bytes.length - this.position
  }

  /** The next `count` bytes, a view. */
  take(count: number): Uint8Array {
    if (count > this.left) throw this.failure(`${count} bytes wanted at byte ${this.position}, ${this.left} are left`)
    this.position += count
    return this.bytes.subarray(this.position - count, this.position)
  }

  /** A little-endian unsigned integer of `count` bytes, 4 at most. */
  fixed(count: number): number {
    let value = 0
    for (const byte of this.take(count).toReversed()) value = value * 256 + byte
    return value
  }

  /** A base-128 integer (LevelDB's varint32 and varint64, protobuf's) up to 2^53 − 1. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      if (this.left === 0) break
      const byte = this.bytes[this.position++]
      value += (byte & 0x7f) * scale
      if (value > Number.MAX_SAFE_INTEGER) break
      if (byte < 0x80) return value
    }
    throw this.failure(`the variable-length integer before byte ${this.position} is cut short or too large`)
  }
}
