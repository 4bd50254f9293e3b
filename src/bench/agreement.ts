import type { Answer } from './measure.ts'

/** Rounding of another order of the same sums, against the largest number of an output, or 1 where all are smaller. */
const ROUNDING = 1e-4

export interface Agreement {
  readonly difference: number
  readonly agrees: boolean
}

/** How far two answers are apart: the largest difference of two numbers, infinite where text or sizes differ. */
export function agreement(ours: Answer, theirs: Answer): Agreement {
  let [difference, agrees] = [0, ours.length === theirs.length]
  for (const [i, wanted] of ours.entries()) {
    const got = theirs[i] ?? []
    if (got.length !== wanted.length) return { difference: Infinity, agrees: false }
    let [off, largest] = [0, 1]
    for (let j = 0; j < wanted.length; j++) {
      off = Math.max(off, apart(wanted[j], got[j]))
      if (typeof wanted[j] === 'number' && Number.isFinite(wanted[j]))
        largest = Math.max(largest, Math.abs(wanted[j] as number))
    }
    difference = Math.max(difference, off)
    agrees &&= off <= ROUNDING * largest
  }
  return { difference, agrees }
}

function apart(a: unknown, b: unknown): number {
  if (Object.is(a, b)) return 0
  if (typeof a !== 'number' || typeof b !== 'number') return String(a) === String(b) ? 0 : Infinity
  const off = Math.abs(a - b)
  return Number.isNaN(off) ? Infinity : off
}
