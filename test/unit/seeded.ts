/** Numbers in [−1, 1), the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

/** Numbers about normal, within ±1.5. */
export function normal(seed: number): () => number {
  const next = random(seed)
  return () => (next() + next() + next()) / 2
}
