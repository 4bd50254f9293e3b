// CRC-32C (Castagnoli, RFC 3720 appendix B.4), slicing by eight: eight tables take eight bytes a step.

const POLYNOMIAL = 0x82f63b78

/** TABLES[256 k + b]: the CRC of byte b followed by k zero bytes. */
export const TABLES: Uint32Array<ArrayBuffer> = new Uint32Array(8 * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  TABLES[byte] = crc
}
for (let i = 256; i < TABLES.length; i++) {
  const shorter = TABLES[i - 256]
  TABLES[i] = (shorter >>> 8) ^ TABLES[shorter & 0xff]
}

/** `crc32c`, or what computes the same. */
export type Checksum = (bytes: Uint8Array, before?: number) => number

/**
 * The CRC-32C of `bytes`, unsigned.
 * @param before the CRC of the bytes that came before, to go on from
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  let i = 0
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24))
    crc =
      TABLES[1792 + (low & 0xff)] ^
      TABLES[1536 + ((low >>> 8) & 0xff)] ^
      TABLES[1280 + ((low >>> 16) & 0xff)] ^
      TABLES[1024 + (low >>> 24)] ^
      TABLES[768 + bytes[i + 4]] ^
      TABLES[512 + bytes[i + 5]] ^
      TABLES[256 + bytes[i + 6]] ^
      TABLES[bytes[i + 7]]
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[i]) & 0xff]
  return ~crc >>> 0
}

/**
 * A CRC as LevelDB and TensorFlow store it, so that a checksum over data that holds checksums stays sound: rotated right
 * by 15 bits, plus a constant (crc32c.h, Mask).
 */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
