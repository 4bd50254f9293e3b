import { finish, measure } from '../engine/similarity.ts'
import { inWords, type Metric, type Similarity } from '../graph/index.ts'
import { type Expected, type Outcome, outcomeOf } from './compare.ts'

/** One way to compare embeddings, held against recorded scores. */
export interface SimilarityTry {
  readonly similarity: Similarity
  /** How many of its numbers were fitted to the scores. */
  readonly fitted: number
  readonly outcomes: readonly Outcome[]
}

const METRICS: readonly Metric[] = ['dot', 'cosine', 'euclidean']

/** Fewer scores than these are met by a line through almost any numbers. */
const ENOUGH = 4

/**
 * Tries similarities on pairs of embeddings, `width` numbers a row: what the model says itself (`known`), the bare metrics,
 * their logistic, and scale · metric + bias by least squares, with and without a logistic.
 * @returns the ones that reproduce all scores first, the simplest before; then by distance
 */
export function trySimilarities(
  query: Float32Array,
  candidate: Float32Array,
  width: number,
  expected: readonly Expected[],
  known: Similarity | null,
  tolerance: number,
): SimilarityTry[] {
  const scores = expected.map(({ values }) => Number(values[0]))
  const rows = scores.length
  const tries: SimilarityTry[] = []
  // The metric that the model names first: of towers that end in a normalisation others are the same.
  const metrics = known === null ? METRICS : [known.metric, ...METRICS.filter((metric) => metric !== known.metric)]
  const raw = new Map(
    metrics.map((metric) => [
      metric,
      scores.map((_, i) => measure(query, i * width, candidate, i * width, width, metric)),
    ]),
  )
  const tried = new Set<string>()
  const attempt = (similarity: Similarity, fitted: number): boolean => {
    const key = inWords(similarity)
    if (tried.has(key)) return false
    tried.add(key)
    const values = raw.get(similarity.metric) ?? []
    const outcomes = expected.map((one, i) =>
      outcomeOf([one], new Map([[one.output, [Math.fround(finish(values[i], similarity))]]]), tolerance),
    )
    tries.push({ similarity, fitted, outcomes })
    return outcomes.every(({ reproduced }) => reproduced)
  }
  if (known !== null) attempt(known, 0)
  for (const metric of metrics) {
    attempt({ metric, scale: 1, bias: 0, sigmoid: false }, 0)
    if (metric === 'euclidean') attempt({ metric, scale: -1, bias: 0, sigmoid: false }, 0)
    attempt({ metric, scale: 1, bias: 0, sigmoid: true }, 0)
  }
  for (const [metric, values] of rows < ENOUGH ? [] : raw) {
    for (const sigmoid of [false, true]) {
      if (sigmoid && !scores.every((score) => score > 0 && score < 1)) continue
      // An error of the score is an error of the logit divided by the logistic's slope there.
      const weights = scores.map((score) => (sigmoid ? (score * (1 - score)) ** 2 : 1))
      const targets = sigmoid ? scores.map((score) => Math.log(score / (1 - score))) : scores
      for (const line of lines(values, targets, weights))
        tidy(line, (scale, bias, fitted) => attempt({ metric, scale, bias, sigmoid }, fitted))
    }
  }
  const meanDistance = ({ outcomes }: SimilarityTry) => outcomes.reduce((sum, { distance }) => sum + distance, 0) / rows
  const wrong = ({ outcomes }: SimilarityTry) => outcomes.filter(({ reproduced }) => !reproduced).length
  return tries
    .map((item) => ({ item, misses: wrong(item), distance: meanDistance(item) }))
    .sort(
      (a, b) =>
        Math.sign(a.misses && 1) - Math.sign(b.misses && 1) ||
        (a.misses === 0 ? a.item.fitted - b.item.fitted : a.distance - b.distance),
    )
    .map(({ item }) => item)
}

interface Line {
  readonly scale: number
  readonly bias: number
}

/** The weighted least-squares lines through the points: one through the origin, and one that need not be. */
function lines(x: readonly number[], y: readonly number[], weights: readonly number[]): Line[] {
  const sum = (of: (i: number) => number) => weights.reduce((total, weight, i) => total + weight * of(i), 0)
  const total = sum(() => 1)
  const [meanX, meanY] = [sum((i) => x[i]) / total, sum((i) => y[i]) / total]
  const spread = sum((i) => (x[i] - meanX) ** 2)
  const squares = sum((i) => x[i] ** 2)
  const found: Line[] = []
  if (squares > 0) found.push({ scale: sum((i) => x[i] * y[i]) / squares, bias: 0 })
  if (spread > 1e-12 * squares) {
    const scale = sum((i) => (x[i] - meanX) * (y[i] - meanY)) / spread
    found.push({ scale, bias: meanY - scale * meanX })
  }
  return found.filter(({ scale, bias }) => Number.isFinite(scale) && scale !== 0 && Number.isFinite(bias))
}

/** Tries a fitted line with ever more digits, until it reproduces the scores: a temperature of 20 is 20. */
function tidy({ scale, bias }: Line, attempt: (scale: number, bias: number, fitted: number) => boolean): void {
  const fitted = bias === 0 ? 1 : 2
  for (let digits = 1; digits <= 7; digits++)
    if (attempt(Number(scale.toPrecision(digits)), Number(bias.toPrecision(digits)), fitted)) return
  attempt(scale, bias, fitted)
}
