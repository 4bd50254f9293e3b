import type { Features, Nested } from '../engine/inputs.ts'
import { finish, measure } from '../engine/similarity.ts'
import { inWords, type Similarity } from '../graph/index.ts'
import { contributions } from '../search/contributions.ts'
import { shortest } from './stage.ts'

/** What one dimension adds to the metric; to a squared distance for `euclidean`. */
export interface Dimension {
  readonly dimension: number
  readonly query: number
  readonly candidate: number
  readonly contribution: number
}

/** What becomes of the score where a feature is left empty: '' for text, 0 for numbers, the default where there is one. */
export interface Influence {
  readonly part: string
  readonly feature: string
  readonly without: number
  /** The score less the score without the feature. */
  readonly change: number
}

export interface ExplainedScore {
  /** How it comes about, in words. */
  readonly how: string
  readonly value: number
  /** The largest first; empty where a signature scores by itself. */
  readonly dimensions: readonly Dimension[]
  /** The largest first. */
  readonly features: readonly Influence[]
}

/** Dimensions that are listed. */
const LARGEST = 5

export const scoreOf = (query: Float32Array, candidate: Float32Array, similarity: Similarity): number => {
  if (query.length !== candidate.length)
    throw new RangeError(`query embeddings have ${query.length} dimensions, candidate embeddings ${candidate.length}`)
  return Math.fround(finish(measure(query, 0, candidate, 0, query.length, similarity.metric), similarity))
}

/** The score of two embeddings and the dimensions that make most of it. */
export function explainSimilarity(
  query: Float32Array,
  candidate: Float32Array,
  similarity: Similarity,
): Omit<ExplainedScore, 'features'> {
  const { metric } = similarity
  const value = scoreOf(query, candidate, similarity)
  const dimensions = contributions(query, candidate, metric)
    .slice(0, LARGEST)
    .map(
      ({ dimension, query, item, contribution }): Dimension => ({
        dimension,
        query: shortest(query),
        candidate: shortest(item),
        contribution: shortest(contribution),
      }),
    )
  return { how: inWords(similarity), value: shortest(value), dimensions }
}

/** A side's features and the score as a function of them. */
export interface Side {
  readonly part: string
  readonly features: Features
  /** Features that the model has a default for. */
  readonly optional: ReadonlySet<string>
  score(features: Features): number
}

/** How the score changes as each feature in turn is left empty. A feature without which the model refuses has no entry. */
export function influences(value: number, sides: readonly Side[]): Influence[] {
  const found = sides.flatMap(({ part, features, optional, score }) =>
    Object.keys(features).flatMap((feature): Influence[] => {
      const { [feature]: own, ...rest } = features
      try {
        const without = score(optional.has(feature) ? rest : { ...rest, [feature]: emptied(own as Nested) })
        return [
          { part, feature, without: shortest(without), change: shortest(Math.fround(value) - Math.fround(without)) },
        ]
      } catch {
        return []
      }
    }),
  )
  return found.sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
}

function emptied(value: Nested): Nested {
  if (typeof value === 'string' || value instanceof Uint8Array) return ''
  if (typeof value === 'number') return 0
  if (typeof value === 'bigint') return 0n
  return typeof value === 'boolean' ? false : Array.from<Nested, Nested>(value, emptied)
}
