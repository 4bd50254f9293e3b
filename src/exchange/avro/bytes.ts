import { ByteWriter } from '../../json/bytes.ts'

// Avro's binary encoding (avro.apache.org/docs/1.12.0/specification): integers as zigzag base-128, floats little-endian,
// bytes and text with their length before them.

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Reads what is encoded one after the other. */
export class AvroReader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  /** The next `count` bytes, a view. @throws {RangeError} where there are fewer */
  take(count: number): Uint8Array {
    if (count < 0 || count > this.left) throw new RangeError(`${count} bytes are wanted where ${this.left} are left`)
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  boolean(): boolean {
    const [byte] = this.take(1)
    if (byte > 1) throw new RangeError(`a boolean is the byte ${byte}`)
    return byte === 1
  }

  /** A long; past 2^53 a bigint. */
  long(): number | bigint {
    let [low, scale] = [0, 1]
    const start = this.at
    // Seven bytes are 49 bits, which a number holds.
    for (let count = 0; count < 7; count++) {
      const [byte] = this.take(1)
      low += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) return low % 2 === 0 ? low / 2 : -(low + 1) / 2
    }
    this.at = start
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte] = this.take(1)
      value |= BigInt(byte & 0x7f) << shift
      if (byte >= 0x80) continue
      const long = BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
      return Number.isSafeInteger(Number(long)) ? Number(long) : long
    }
    throw new RangeError('a long has more than ten bytes')
  }

  /** A long that counts something. @throws {RangeError} where it cannot */
  count(): number {
    const count = this.long()
    if (typeof count === 'bigint' || count < 0) throw new RangeError(`${count} is no length`)
    return count
  }

  float(): number {
    this.take(4)
    return this.view.getFloat32(this.at - 4, true)
  }

  double(): number {
    this.take(8)
    return this.view.getFloat64(this.at - 8, true)
  }

  /** @throws {TypeError} where the bytes are not UTF-8 */
  string(): string {
    return text.decode(this.take(this.count()))
  }
}

/** Grows what is encoded. */
export class AvroWriter extends ByteWriter {
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.used)
    this.used += bytes.length
  }

  long(value: number | bigint): void {
    this.reserve(10)
    let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
    for (; rest >= 0x80n; rest >>= 7n) this.bytes[this.used++] = Number(rest & 0x7fn) | 0x80
    this.bytes[this.used++] = Number(rest)
  }

  /** `values` one after the other, without their count. */
  floats(values: Float32Array): void {
    this.reserve(4 * values.length)
    const view = new DataView(this.bytes.buffer, this.used)
    for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true)
    this.used += 4 * values.length
  }

  double(value: number): void {
    this.reserve(8)
    new DataView(this.bytes.buffer).setFloat64(this.used, value, true)
    this.used += 8
  }

  string(value: string): void {
    const bytes = encoder.encode(value)
    this.long(bytes.length)
    this.raw(bytes)
  }
}
