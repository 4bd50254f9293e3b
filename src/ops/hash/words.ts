// 64-bit arithmetic of hashes, on BigInt: the oracle that any faster form is held against.

const MASK = 0xffff_ffff_ffff_ffffn

/** The low 64 bits of `x`. */
export const word = (x: bigint): bigint => x & MASK

export const rotateRight = (x: bigint, by: bigint): bigint => word((x >> by) | (x << (64n - by)))

/** Little-endian reads at a byte offset. */
export class Reader {
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  u64(at: number): bigint {
    return this.view.getBigUint64(at, true)
  }

  u32(at: number): bigint {
    return BigInt(this.view.getUint32(at, true))
  }

  u8(at: number): bigint {
    return BigInt(this.view.getUint8(at))
  }
}
