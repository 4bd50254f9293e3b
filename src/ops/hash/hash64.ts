import { Reader, word } from './words.ts'

const M = 0xc6a4a7935bd1e995n
const SEED = 0xdecafcaffen

/** TensorFlow's own Hash64 (core/platform/hash.cc), a MurmurHash64A: the hash of the old StringToHashBucket. */
export function hash64(bytes: Uint8Array): bigint {
  const s = new Reader(bytes)
  let h = SEED ^ word(BigInt(bytes.length) * M)
  const whole = bytes.length & ~7
  for (let at = 0; at < whole; at += 8) {
    let k = word(s.u64(at) * M)
    k = word((k ^ (k >> 47n)) * M)
    h = word((h ^ k) * M)
  }
  if (whole < bytes.length) {
    for (let at = bytes.length - 1; at >= whole; at--) h ^= s.u8(at) << BigInt(8 * (at - whole))
    h = word(h * M)
  }
  h = word((h ^ (h >> 47n)) * M)
  return h ^ (h >> 47n)
}
