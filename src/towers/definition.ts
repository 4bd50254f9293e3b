import type { Port, Signature, Similarity, TowerDefinition, Value } from '../graph/index.ts'
import { subgraph } from './dependence.ts'

/** What one rule finds of a model's towers. */
export interface Found {
  readonly query: TowerDefinition | null
  readonly candidate: TowerDefinition | null
  readonly similarity?: Similarity
}

/** The tower that ends in an output of `signature`. */
export function tower(signature: Signature, output: number): TowerDefinition {
  return towerAt(signature, signature.graph.outputs[output], signature.outputs[output])
}

/** The tower that ends in `value`, under the name and type of `port`. */
export function towerAt(signature: Signature, value: Value, port: Port): TowerDefinition {
  return { signature: signature.name, output: port, ...subgraph(signature.graph, signature.inputs, value) }
}

/** The one that a signature named for scoring holds, or the default one; else the first. */
export const foremost = <T extends { readonly signature: Signature }>(all: readonly T[]): T | undefined =>
  all.find(({ signature }) => /score|rank|predict/i.test(signature.name)) ??
  all.find(({ signature }) => signature.name === 'serving_default') ??
  all[0]

/** Said where nothing tells the sides apart. */
export const UNTOLD = '; the names do not say which is which, the first is taken for the query'
