import type { Towers } from './model.ts'

/** How the embeddings of two towers are compared. Under `euclidean` the nearest has the smallest value, else the largest. */
export type Metric = 'dot' | 'cosine' | 'euclidean'

/** score = scale · metric(query, candidate) + bias, and its logistic where `sigmoid`. */
export interface Similarity {
  readonly metric: Metric
  readonly scale: number
  readonly bias: number
  readonly sigmoid: boolean
}

/** A similarity in words: `0.05 · dot + 1, logistic`. */
export function inWords({ metric, scale, bias, sigmoid }: Similarity): string {
  // Seven digits are what a float32 of the graph holds.
  const short = (value: number) => String(Number(value.toPrecision(7)))
  const scaled = scale === 1 ? metric : `${short(scale)} · ${metric}`
  const shifted = bias === 0 ? scaled : `${scaled} ${bias < 0 ? '−' : '+'} ${short(Math.abs(bias))}`
  return sigmoid ? `${shifted}, logistic` : shifted
}

const METRICS: readonly Metric[] = ['dot', 'cosine', 'euclidean']

/** A similarity as the user names it: the metric alone, or with a scale, a bias and a logistic. */
export type SimilarityChoice = Metric | (Partial<Similarity> & Pick<Similarity, 'metric'>)

/**
 * The similarity of a choice: scale 1 and no bias where nothing is said.
 * @throws {RangeError} for a metric that there is not, or none: none is taken for granted; for a scale or bias that is no number
 */
export function similarityOf(choice: SimilarityChoice): Similarity {
  const { metric, scale = 1, bias = 0, sigmoid = false } = typeof choice === 'string' ? { metric: choice } : choice
  if (!METRICS.includes(metric))
    throw new RangeError(`a similarity is dot, cosine or euclidean, got ${JSON.stringify(metric)}`)
  for (const [name, value] of Object.entries({ scale, bias }))
    if (!Number.isFinite(value)) throw new RangeError(`the ${name} of a similarity is a finite number, got ${value}`)
  return { metric, scale, bias, sigmoid }
}

/**
 * The towers, compared as the user chooses, whatever was found.
 * @throws {RangeError} as `similarityOf`
 */
export function withSimilarity(towers: Towers, choice: SimilarityChoice): Towers {
  const similarity = similarityOf(choice)
  return {
    ...towers,
    similarity,
    joint: null,
    notes: [...towers.notes, `similarity ${similarity.metric} chosen by the user`],
  }
}
