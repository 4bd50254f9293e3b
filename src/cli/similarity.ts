import type { Metric, Similarity } from '../graph/index.ts'
import { UsageError } from './exit.ts'

export interface SimilarityOptions {
  readonly similarity?: string
  readonly scale?: string
  readonly bias?: string
  readonly sigmoid?: boolean
}

/** What to say where neither the export nor the user says how the towers are compared. */
export const notKnown = (notes: readonly string[]): UsageError =>
  new UsageError(
    `the model does not say how its towers are compared (${notes.join('; ')}): choose with --similarity dot, cosine or euclidean`,
  )

const METRICS: readonly string[] = ['dot', 'cosine', 'euclidean']

/** The similarity that the user chose, or nothing. @throws {UsageError} for one that there is not */
export function similarityChoice(options: SimilarityOptions): { readonly similarity?: Similarity } {
  const { similarity: metric, scale, bias, sigmoid } = options
  if (metric === undefined) {
    if (scale !== undefined || bias !== undefined || sigmoid)
      throw new UsageError('--scale, --bias and --sigmoid go with --similarity')
    return {}
  }
  if (!METRICS.includes(metric))
    throw new UsageError(`--similarity must be one of ${METRICS.join(', ')}, got ${JSON.stringify(metric)}`)
  const number = (name: string, value: string | undefined, otherwise: number): number => {
    if (value === undefined) return otherwise
    if (value.trim() === '' || !Number.isFinite(Number(value)))
      throw new UsageError(`${name} wants a number, got ${JSON.stringify(value)}`)
    return Number(value)
  }
  return {
    similarity: {
      metric: metric as Metric,
      scale: number('--scale', scale, 1),
      bias: number('--bias', bias, 0),
      sigmoid: sigmoid ?? false,
    },
  }
}
