// CRC-32C (Castagnoli) by eight tables, eight bytes a step. The same steps in JavaScript reach
// this speed only once they are optimized, which is after a bundle of a few megabytes is read: 1.8 MB take 15 ms there, 3 here.

/**
 * Writes the tables: 8 × 256 u32, at a multiple of 4. tables[256 k + b] is the CRC of byte b followed by k zero bytes. Made
 * by JavaScript that runs for the first time they take 0.8 ms of a start.
 */
export function crc32cTables(tables: usize): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1
    store<u32>(tables + (<usize>byte << 2), crc)
  }
  for (let i: usize = 256; i < 2048; i++) {
    const shorter = load<u32>(tables + ((i - 256) << 2))
    store<u32>(tables + (i << 2), (shorter >> 8) ^ entry(tables, 0, shorter))
  }
}

/**
 * The CRC of `length` bytes from `bytes` on, going on from `before`. `tables` is what `crc32cTables` wrote. No byte past the
 * last is read.
 */
export function crc32c(bytes: usize, length: i32, before: u32, tables: usize): u32 {
  let crc = ~before
  const end = bytes + <usize>length
  for (; bytes + 8 <= end; bytes += 8) {
    const low = crc ^ load<u32>(bytes)
    const high = load<u32>(bytes, 4)
    crc =
      entry(tables, 7, low) ^
      entry(tables, 6, low >> 8) ^
      entry(tables, 5, low >> 16) ^
      entry(tables, 4, low >> 24) ^
      entry(tables, 3, high) ^
      entry(tables, 2, high >> 8) ^
      entry(tables, 1, high >> 16) ^
      entry(tables, 0, high >> 24)
  }
  for (; bytes < end; bytes++) crc = (crc >> 8) ^ entry(tables, 0, crc ^ <u32>load<u8>(bytes))
  return ~crc
}

/** The entry of the table `table` for the lowest byte of `value`. */
// @ts-ignore: decorator
@inline
function entry(tables: usize, table: usize, value: u32): u32 {
  return load<u32>(tables + (table << 10) + (<usize>(value & 0xff) << 2))
}
