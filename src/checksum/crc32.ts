/** By byte: its polynomial 0x04c11db7, reflected. */
const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0)
  return value
})

/** CRC-32 as ISO 3309, zlib and Avro have it, unsigned. */
export function crc32(bytes: Uint8Array): number {
  let state = -1
  for (const byte of bytes) state = TABLE[(state ^ byte) & 0xff] ^ (state >>> 8)
  return ~state >>> 0
}
