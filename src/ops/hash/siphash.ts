/** The four words of the state, each its lower half and its upper half: BigInts would take thirty times as long. */
const v = new Int32Array(8)

/** Word `a` + word `b`, in place of `a`. */
function add(a: number, b: number): void {
  const low = (v[a] >>> 0) + (v[b] >>> 0)
  v[a] = low
  v[a + 1] += v[b + 1] + (low > 0xffffffff ? 1 : 0)
}

/** Word `a` turned left by `bits` of fewer than 32, and then ^ word `b`. */
function turn(a: number, bits: number, b: number): void {
  const [low, high] = [v[a], v[a + 1]]
  v[a] = ((low << bits) | (high >>> (32 - bits))) ^ v[b]
  v[a + 1] = ((high << bits) | (low >>> (32 - bits))) ^ v[b + 1]
}

/** Word `a` turned left by 32. */
function swap(a: number): void {
  const low = v[a]
  v[a] = v[a + 1]
  v[a + 1] = low
}

function rounds(count: number): void {
  for (let i = 0; i < count; i++) {
    add(0, 2)
    turn(2, 13, 0)
    swap(0)
    add(4, 6)
    turn(6, 16, 4)
    add(0, 6)
    turn(6, 21, 0)
    add(4, 2)
    turn(2, 17, 4)
    swap(4)
  }
}

function absorb(low: number, high: number): void {
  v[6] ^= low
  v[7] ^= high
  rounds(2)
  v[0] ^= low
  v[1] ^= high
}

/** Up to four bytes from `at` as a number, the first the lowest. */
function half(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  for (let i = at; i < end && i < at + 4; i++) value |= bytes[i] << (8 * (i - at))
  return value
}

const CONSTANTS = Int32Array.of(
  0x70736575,
  0x736f6d65,
  0x6e646f6d,
  0x646f7261,
  0x6e657261,
  0x6c796765,
  0x79746573,
  0x74656462,
)

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) as Google's highwayhash computes it, which TensorFlow uses for
 * StringToHashBucketStrong and Keras's Hashing with a salt.
 * @param key two words of 64 bits
 */
export function sipHash24(key: readonly [bigint, bigint], bytes: Uint8Array): bigint {
  const keys = new Int32Array(BigUint64Array.from(key, (word) => BigInt.asUintN(64, word)).buffer)
  for (let i = 0; i < 8; i++) v[i] = CONSTANTS[i] ^ keys[i % 4]
  const { length } = bytes
  const whole = length & ~7
  for (let at = 0; at < whole; at += 8) absorb(half(bytes, at, length), half(bytes, at + 4, length))
  absorb(half(bytes, whole, length), half(bytes, whole + 4, length) | ((length & 0xff) << 24))
  v[4] ^= 0xff
  rounds(4)
  const [low, high] = [v[0] ^ v[2] ^ v[4] ^ v[6], v[1] ^ v[3] ^ v[5] ^ v[7]]
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
