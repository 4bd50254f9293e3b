// CRC-32C (Castagnoli, RFC 3720 appendix B.4), slicing by eight: eight tables take eight bytes a step.

const POLYNOMIAL = 0x82f63b78

/** At 256 k + b: the CRC of byte b followed by k zero bytes. */
function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256]
    tables[i] = (shorter >>> 8) ^ tables[shorter & 0xff]
  }
  return tables
}

/** Made when they are first asked for: a process that has the kernel's never needs them. */
let made: Uint32Array | null = null

/** `crc32c`, or what computes the same. */
export type Checksum = (bytes: Uint8Array, before?: number) => number

/**
 * The CRC-32C of `bytes`, unsigned.
 * @param before the CRC of the bytes that came before, to go on from
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  made ??= makeTables()
  const tables = made
  let crc = ~before
  let i = 0
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24))
    crc =
      tables[1792 + (low & 0xff)] ^
      tables[1536 + ((low >>> 8) & 0xff)] ^
      tables[1280 + ((low >>> 16) & 0xff)] ^
      tables[1024 + (low >>> 24)] ^
      tables[768 + bytes[i + 4]] ^
      tables[512 + bytes[i + 5]] ^
      tables[256 + bytes[i + 6]] ^
      tables[bytes[i + 7]]
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[i]) & 0xff]
  return ~crc >>> 0
}

/**
 * A CRC as LevelDB and TensorFlow store it, so that a checksum over data that holds checksums stays sound: rotated right
 * by 15 bits, plus a constant (crc32c.h, Mask).
 */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
