import { Reader, rotateLeft, word } from './words.ts'

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) as Google's highwayhash computes it, which TensorFlow uses for
 * StringToHashBucketStrong and Keras's Hashing with a salt.
 * @param key two words of 64 bits
 */
export function sipHash24(key: readonly [bigint, bigint], bytes: Uint8Array): bigint {
  const s = new Reader(bytes)
  let [v0, v1, v2, v3] = [
    key[0] ^ 0x736f6d6570736575n,
    key[1] ^ 0x646f72616e646f6dn,
    key[0] ^ 0x6c7967656e657261n,
    key[1] ^ 0x7465646279746573n,
  ].map(word)
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v0 = word(v0 + v1)
      v1 = rotateLeft(v1, 13n) ^ v0
      v0 = rotateLeft(v0, 32n)
      v2 = word(v2 + v3)
      v3 = rotateLeft(v3, 16n) ^ v2
      v0 = word(v0 + v3)
      v3 = rotateLeft(v3, 21n) ^ v0
      v2 = word(v2 + v1)
      v1 = rotateLeft(v1, 17n) ^ v2
      v2 = rotateLeft(v2, 32n)
    }
  }
  const absorb = (block: bigint): void => {
    v3 ^= block
    rounds(2)
    v0 ^= block
  }
  const whole = bytes.length & ~7
  for (let at = 0; at < whole; at += 8) absorb(s.u64(at))
  let last = BigInt(bytes.length & 0xff) << 56n
  for (let at = whole; at < bytes.length; at++) last |= s.u8(at) << BigInt(8 * (at - whole))
  absorb(last)
  v2 ^= 0xffn
  rounds(4)
  return v0 ^ v1 ^ v2 ^ v3
}
