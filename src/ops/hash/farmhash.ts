import { Reader, rotateRight, word } from './words.ts'

// FarmHash's Fingerprint64 (farmhashna::Hash64), which TensorFlow uses for StringToHashBucketFast, Keras's Hashing and
// feature crosses. It never changes between platforms or versions.

const K0 = 0xc3a5c85c97cb3127n
const K1 = 0xb492b66fbe98f273n
const K2 = 0x9ae16a3b2f90404fn

const shiftMix = (x: bigint): bigint => x ^ (x >> 47n)

/** The fingerprint of `bytes`, 64 bits without a sign. */
export function farmFingerprint64(bytes: Uint8Array): bigint {
  const s = new Reader(bytes)
  const { length } = bytes
  if (length <= 16) return upTo16(s, length)
  if (length <= 32) return upTo32(s, length)
  if (length <= 64) return upTo64(s, length)
  return long(s, length)
}

function mix16(u: bigint, v: bigint, mul: bigint): bigint {
  let a = word((u ^ v) * mul)
  a ^= a >> 47n
  let b = word((v ^ a) * mul)
  b ^= b >> 47n
  return word(b * mul)
}

function upTo16(s: Reader, length: number): bigint {
  const size = BigInt(length)
  const mul = K2 + size * 2n
  if (length >= 8) {
    const a = word(s.u64(0) + K2)
    const b = s.u64(length - 8)
    const c = word(rotateRight(b, 37n) * mul + a)
    const d = word((rotateRight(a, 25n) + b) * mul)
    return mix16(c, d, mul)
  }
  if (length >= 4) return mix16(size + (s.u32(0) << 3n), s.u32(length - 4), mul)
  if (length === 0) return K2
  const y = s.u8(0) + (s.u8(length >> 1) << 8n)
  const z = size + (s.u8(length - 1) << 2n)
  return word(shiftMix(word((y * K2) ^ (z * K0))) * K2)
}

function upTo32(s: Reader, length: number): bigint {
  const mul = K2 + BigInt(length) * 2n
  const a = word(s.u64(0) * K1)
  const b = s.u64(8)
  const c = word(s.u64(length - 8) * mul)
  const d = word(s.u64(length - 16) * K2)
  return mix16(
    word(rotateRight(word(a + b), 43n) + rotateRight(c, 30n) + d),
    word(a + rotateRight(word(b + K2), 18n) + c),
    mul,
  )
}

function upTo64(s: Reader, length: number): bigint {
  const mul = K2 + BigInt(length) * 2n
  const a = word(s.u64(0) * K2)
  const b = s.u64(8)
  const c = word(s.u64(length - 8) * mul)
  const d = word(s.u64(length - 16) * K2)
  const y = word(rotateRight(word(a + b), 43n) + rotateRight(c, 30n) + d)
  const z = mix16(y, word(a + rotateRight(word(b + K2), 18n) + c), mul)
  const e = word(s.u64(16) * mul)
  const f = s.u64(24)
  const g = word((y + s.u64(length - 32)) * mul)
  const h = word((z + s.u64(length - 24)) * mul)
  return mix16(
    word(rotateRight(word(e + f), 43n) + rotateRight(g, 30n) + h),
    word(e + rotateRight(word(f + a), 18n) + g),
    mul,
  )
}

/** 32 bytes at `at` folded into a pair of seeds. */
function weak32(s: Reader, at: number, seedA: bigint, seedB: bigint): [bigint, bigint] {
  const [w, x, y, z] = [s.u64(at), s.u64(at + 8), s.u64(at + 16), s.u64(at + 24)]
  const a = word(seedA + w)
  const b = rotateRight(word(seedB + a + z), 21n)
  const sum = word(a + x + y)
  return [word(sum + z), word(b + rotateRight(sum, 44n) + a)]
}

function long(s: Reader, length: number): bigint {
  let x = 81n
  let y = word(81n * K1 + 113n)
  let z = word(shiftMix(word(y * K2 + 113n)) * K2)
  let v: [bigint, bigint] = [0n, 0n]
  let w: [bigint, bigint] = [0n, 0n]
  x = word(x * K2 + s.u64(0))
  const round = (at: number, mul: bigint, nine: bigint): void => {
    x = word(rotateRight(word(x + y + v[0] + s.u64(at + 8)), 37n) * mul)
    y = word(rotateRight(word(y + v[1] + s.u64(at + 48)), 42n) * mul)
    x ^= word(w[1] * nine)
    y = word(y + v[0] * nine + s.u64(at + 40))
    z = word(rotateRight(word(z + w[0]), 33n) * mul)
    v = weak32(s, at, word(v[1] * mul), word(x + w[0]))
    w = weak32(s, at + 32, word(z + w[1]), word(y + s.u64(at + 16)))
    ;[z, x] = [x, z]
  }
  const end = ((length - 1) >> 6) * 64
  for (let at = 0; at < end; at += 64) round(at, K1, 1n)
  const mul = K1 + ((z & 0xffn) << 1n)
  w[0] = word(w[0] + BigInt((length - 1) & 63))
  v[0] = word(v[0] + w[0])
  w[0] = word(w[0] + v[0])
  // The last 64 bytes, which overlap the blocks before.
  round(length - 64, mul, 9n)
  return mix16(word(mix16(v[0], w[0], mul) + shiftMix(y) * K0 + z), word(mix16(v[1], w[1], mul) + x), mul)
}
