import { type Graph, type ModelDefinition, type OpTable, prune } from '../graph/index.ts'
import { fuseDense } from './dense.ts'
import { fuseL2Normalize } from './normalize.ts'

/** A rewriting of a graph into one that computes the same with fewer, larger ops. */
interface Pass {
  readonly name: string
  apply(graph: Graph): Graph
}

/** In this order. */
export const PASSES: readonly Pass[] = [
  { name: 'fuse dense layers', apply: fuseDense },
  // After the layers: what they make is known to be a matrix.
  { name: 'fuse l2_normalize', apply: fuseL2Normalize },
]

/** `graph` after all passes. */
export const lowerGraph = (graph: Graph, ops: OpTable): Graph =>
  prune(
    PASSES.reduce((at, pass) => pass.apply(at), graph),
    ops,
  )

/** A model whose graphs and towers are lowered. */
export function lower(definition: ModelDefinition, ops: OpTable): ModelDefinition {
  const { towers } = definition
  const tower = <T extends { readonly graph: Graph } | null>(side: T): T =>
    side === null ? side : { ...side, graph: lowerGraph(side.graph, ops) }
  return {
    ...definition,
    signatures: definition.signatures.map((signature) => ({ ...signature, graph: lowerGraph(signature.graph, ops) })),
    towers: { ...towers, query: tower(towers.query), candidate: tower(towers.candidate) },
  }
}
