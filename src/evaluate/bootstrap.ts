import { random32 } from './random.ts'

/** An estimate with its 95 % confidence interval. */
export interface Estimate {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** How often the queries are drawn anew. */
const DRAWS = 1000
/** The ends of an interval, in draws. */
const [LOW, HIGH] = [0.025, 0.975]

/** How likely a Poisson variable of mean 1 is at most 0, 1, 2, …, in units of 2^-32. */
const POISSON = (() => {
  const ends: number[] = []
  for (let [n, share, sum] = [0, Math.exp(-1), 0]; n < 12; share /= ++n) {
    sum += share
    ends.push(sum * 2 ** 32)
  }
  return ends
})()

/**
 * Means of values that come query by query, with percentile intervals by the Poisson bootstrap: in each of 1,000 draws a
 * query counts as often as a Poisson variable of mean 1 says, which for many queries is drawing them with replacement and
 * needs none of them in memory (Chamandy et al., "Estimating uncertainty for massive data streams", Google 2012). All
 * values of a query are drawn together, so that the difference of two systems is judged query by query.
 */
export class Bootstrap {
  private readonly random: () => number
  /** `float64[values, DRAWS]` */
  private readonly sums: Float64Array
  private readonly totals: Float64Array
  private readonly counts = new Float64Array(DRAWS)
  private count = 0

  /** @param values how many a query has */
  constructor(values: number, seed: number) {
    this.random = random32(seed)
    this.sums = new Float64Array(values * DRAWS)
    this.totals = new Float64Array(values)
  }

  add(values: ArrayLike<number>): void {
    const weights = new Uint8Array(DRAWS)
    for (let draw = 0; draw < DRAWS; draw++) {
      const chance = this.random()
      let weight = 0
      while (weight < POISSON.length && chance >= POISSON[weight]) weight++
      weights[draw] = weight
      this.counts[draw] += weight
    }
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      this.totals[i] += value
      if (value === 0) continue
      for (let draw = 0, at = i * DRAWS; draw < DRAWS; draw++, at++) this.sums[at] += weights[draw] * value
    }
    this.count++
  }

  /** The mean of value `i`, or of how much it exceeds value `than`. */
  estimate(i: number, than?: number): Estimate {
    const of = (draw: number) => this.sums[i * DRAWS + draw] - (than === undefined ? 0 : this.sums[than * DRAWS + draw])
    // Of few queries a draw may have none.
    const means = [...this.counts.keys()]
      .filter((draw) => this.counts[draw] > 0)
      .map((draw) => of(draw) / this.counts[draw])
      .sort((a, b) => a - b)
    return {
      mean: (this.totals[i] - (than === undefined ? 0 : this.totals[than])) / this.count,
      low: means[Math.floor(LOW * (means.length - 1))],
      high: means[Math.ceil(HIGH * (means.length - 1))],
    }
  }
}
