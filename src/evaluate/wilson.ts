import type { Estimate } from './bootstrap.ts'

/** The normal distribution has 95 % within so many standard deviations. */
const Z = 1.959963984540054

/**
 * A share of `count`, with its 95 % score interval (Wilson, "Probable inference, the law of succession, and statistical
 * inference", JASA 1927): right near 0 and 1 too, where a bootstrap of nothing but misses has no width.
 */
export function wilson(share: number, count: number): Estimate {
  const middle = share + (Z * Z) / (2 * count)
  const half = Z * Math.sqrt((share * (1 - share)) / count + (Z * Z) / (4 * count * count))
  const whole = 1 + (Z * Z) / count
  return { mean: share, low: Math.max(0, (middle - half) / whole), high: Math.min(1, (middle + half) / whole) }
}
