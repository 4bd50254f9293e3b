import type { Signature } from '../graph/index.ts'

// Which side is the query is not in a graph: names say it, as people give them to signatures, inputs and layers.

const QUERY = /quer|user|viewer|customer|member|visitor|shopper|reader|listener|session|context|anchor|left/i
const CANDIDATE =
  /candid|item|movie|film|product|article|document|\bdoc|news|track|song|restaurant|food|game|book|title|place|content|ad\b|ads\b|video|offer|listing|job|right|positive/i

/** 'query' or 'candidate' where the names speak for one side only, else null. */
export function sideOf(names: readonly string[]): 'query' | 'candidate' | null {
  const [query, candidate] = [names.some((name) => QUERY.test(name)), names.some((name) => CANDIDATE.test(name))]
  return query === candidate ? null : query ? 'query' : 'candidate'
}

/** The position of the output that is an embedding: the only float matrix, or the one whose name says so; else -1. */
export function embeddingOutput({ outputs }: Signature): number {
  const matrices = outputs.map((_, i) => i).filter((i) => isEmbedding(outputs[i]))
  if (matrices.length === 1) return matrices[0]
  const named = matrices.filter((i) => /embed|vector|output_0|tower/i.test(outputs[i].name))
  return named.length === 1 ? named[0] : -1
}

/** A float matrix, one row an instance and wider than a score. */
export const isEmbedding = ({ dtype, shape }: Signature['outputs'][number]): boolean =>
  dtype === 'float32' && (shape === null || (shape.length === 2 && shape[1] !== 1))
