/**
 * Whole numbers of 32 bits that look like chance and are the same for the same seed: xoshiro128**, begun by splitmix32
 * (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 2021).
 */
export function random32(seed: number): () => number {
  let mixed = seed | 0
  const [a, b, c, d] = [next(), next(), next(), next()]
  const state = Uint32Array.of(a, b, c, d)
  function next(): number {
    mixed = (mixed + 0x9e3779b9) | 0
    let word = mixed
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return word ^ (word >>> 16)
  }
  return () => {
    const product = Math.imul(state[1], 5)
    const answer = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = state[1] << 9
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = (state[3] << 11) | (state[3] >>> 21)
    return answer
  }
}
