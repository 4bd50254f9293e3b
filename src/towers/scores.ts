import { type Signature, similarityOf } from '../graph/index.ts'
import { type Found, foremost, towerAt, UNTOLD } from './definition.ts'
import { dependence, subgraph } from './dependence.ts'
import { indexedQuery } from './indexed.ts'
import { findJoin, type Join } from './join.ts'
import { sideOf } from './sides.ts'

// Towers inside a graph whose output is a score.

/** A score of a signature. */
export interface Joined {
  readonly signature: Signature
  readonly output: string
  readonly join: Join | null
  /** One number a row. */
  readonly isScore: boolean
}

/** Outputs that score several inputs together, with where they join them. Embeddings are none. */
export function joinsOf(signature: Signature): Joined[] {
  const sources = dependence(signature.graph)
  const found: Joined[] = []
  signature.outputs.forEach((port, i) => {
    const value = signature.graph.outputs[i]
    const own = sources.get(value.node)?.size ?? 0
    if (port.dtype !== 'float32' || own < (isPair(signature) ? 1 : 2)) return
    if (indexedQuery(value) !== null) return
    const isScore = port.shape?.slice(1).every((dim) => dim === 1) ?? false
    const join = findJoin(signature.graph, value, port.shape?.length ?? null)
    // A width that is not 1 is no score of a pair; of all pairs it may be.
    const isJoin =
      join !== null && (isScore || (!join.deep && (port.shape ?? []).slice(1).every((dim) => dim === null)))
    if (isJoin || isScore) found.push({ signature, output: port.name, join: isJoin ? join : null, isScore })
  })
  return found
}

/** True where the one input has two ids in a row. */
const isPair = ({ inputs: [input, ...more] }: Signature): boolean =>
  more.length === 0 && /^(int|string)/.test(input?.dtype ?? '') && input.shape?.length === 2 && input.shape[1] === 2

/** The score of a signature that has only one, or only one that is named so. */
export function soleScore(joins: readonly Joined[]): Joined | undefined {
  const scores = joins.filter(({ isScore }) => isScore)
  const first = foremost(scores)
  const own = scores.filter(({ signature }) => signature === first?.signature)
  const named = own.filter(({ output }) => /score|rating|rank|prob|logit|predict|ctr|similar|relevan/i.test(output))
  return [own, named].find(({ length }) => length === 1)?.[0]
}

/** The towers that a score joins. */
export function towersOfJoin(joined: Joined | undefined, notes: string[]): Found | null {
  if (!joined?.join) return null
  const { signature, join } = joined
  const port = (name: string) => ({ name, dtype: 'float32' as const, shape: [null, null] })
  const [left, right] = [join.left, join.right].map((value) => subgraph(signature.graph, signature.inputs, value))
  const names = (side: { inputs: readonly { name: string }[] }) => side.inputs.map((input) => input.name)
  const swapped =
    sideOf(names(left)) === 'candidate' || (sideOf(names(left)) === null && sideOf(names(right)) === 'query')
  const [query, candidate] = swapped ? [right, left] : [left, right]
  const known = sideOf(names(left)) !== null || sideOf(names(right)) !== null
  notes.push(
    `"${signature.name}" joins ${names(query).join(', ')} (query) with ${names(candidate).join(', ')} (candidate)${known ? '' : UNTOLD}`,
  )
  return {
    query: { signature: signature.name, output: port('query_embedding'), ...query },
    candidate: { signature: signature.name, output: port('candidate_embedding'), ...candidate },
  }
}

/** An index over candidates that the export holds: what it multiplies them with is the query. */
export function towersOfIndex(signatures: readonly Signature[], notes: string[]): Found | null {
  for (const signature of signatures) {
    for (const output of signature.graph.outputs) {
      const indexed = indexedQuery(output)
      if (indexed === null) continue
      const port = { name: 'query_embedding', dtype: 'float32' as const, shape: [null, indexed.width] }
      const measure = indexed.metric === 'dot' ? 'the dot product' : 'distance'
      notes.push(
        `"${signature.name}" ranks ${indexed.rows} candidates that it holds by ${measure}: its inputs are the query's, the candidate tower is not in the export${indexed.remark}`,
      )
      return {
        query: towerAt(signature, indexed.query, port),
        candidate: null,
        similarity: similarityOf(indexed.metric),
      }
    }
  }
  return null
}
