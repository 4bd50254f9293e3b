/** Whole numbers from 0 up to `end`, the same for the same seed everywhere: Mulberry32. */
export function random(seed: number): (end: number) => number {
  let state = seed | 0
  return (end) => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * end)
  }
}

/** `count` of `rows`, each at most once, in no order; all of them where they are fewer. */
export function sampled(rows: Uint32Array, count: number, next: (end: number) => number): Uint32Array {
  const shuffled = rows.slice()
  const taken = Math.min(count, rows.length)
  for (let i = 0; i < taken; i++) {
    const j = i + next(rows.length - i)
    ;[shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]]
  }
  return shuffled.subarray(0, taken)
}
