import type { Signature } from '../graph/index.ts'

// Which side is the query is not in a graph: names say it, as people give them to signatures, inputs and layers.

const QUERY =
  'query|queries|user|viewer|customer|member|visitor|shopper|buyer|reader|listener|session|context|anchor|left|question'
const CANDIDATE =
  'candidate|item|movie|film|product|article|document|doc|passage|news|track|song|artist|restaurant|food|recipe|game|book|title|place|content|ad|video|offer|listing|job|hotel|answer|right|positive'

/** A word of a name, also where an ending is written to it: `userid`, `movies`, `itemembedding`. */
const word = (words: string): RegExp =>
  new RegExp(`^(${words})s?(ids?|names?|titles?|features?|embeddings?|emb|vectors?|towers?|models?|texts?)?$`)
const [QUERY_WORD, CANDIDATE_WORD] = [word(QUERY), word(CANDIDATE)]

/** `userMovie_id2` is user, movie, id. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)

/** The side of which a name speaks first: `user_movie_history` is the user's. */
function sideOfName(name: string): Side | null {
  for (const part of wordsOf(name)) {
    if (QUERY_WORD.test(part)) return 'query'
    if (CANDIDATE_WORD.test(part)) return 'candidate'
  }
  return null
}

export type Side = 'query' | 'candidate'

/** 'query' or 'candidate' where the names speak for one side only, else null. */
export function sideOf(names: readonly string[]): Side | null {
  const sides = new Set(names.map(sideOfName))
  return sides.has('query') === sides.has('candidate') ? null : sides.has('query') ? 'query' : 'candidate'
}

/** The position of the output that is an embedding: the only float matrix, or the one whose name says so; else -1. */
export function embeddingOutput({ outputs, graph }: Signature): number {
  const matrices = outputs
    .map((_, i) => i)
    .filter((i) => isEmbedding(outputs[i]) && !RANKED.has(graph.outputs[i].node.op))
  if (matrices.length === 1) return matrices[0]
  const named = matrices.filter((i) => namesEmbedding(outputs[i].name))
  return named.length === 1 ? named[0] : -1
}

export const namesEmbedding = (name: string): boolean => /embed|vector|output_0|tower/i.test(name)

/** Ops whose matrices are scores of many items, or probabilities of many classes. */
const RANKED = new Set(['TopKV2', 'TopK', 'Softmax', 'LogSoftmax'])

/** A float matrix, one row an instance and wider than a score. */
export const isEmbedding = ({ dtype, shape }: Signature['outputs'][number]): boolean =>
  dtype === 'float32' && (shape === null || (shape.length === 2 && shape[1] !== 1))
