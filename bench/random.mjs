/** Numbers of [−1, 1) that are the same in every run: xorshift, 32 bits. */
export function* random(seed) {
  for (let state = seed | 1; ; ) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield state / 2 ** 31
  }
}

/** `length` floats of `generator`, times `scale`. */
export function floats(generator, length, scale = 1) {
  const out = new Float32Array(length)
  for (let i = 0; i < length; i++) out[i] = generator.next().value * scale
  return out
}
