import type { Graph, ModelDefinition, OpTable, Port } from '../graph/index.ts'
import { prune } from '../graph/rewrite.ts'
import { settleBins } from './bounds.ts'
import { fuseDense } from './dense.ts'
import { denseToInt8 } from './int8.ts'
import { fuseLayerNorm } from './layernorm.ts'
import { fuseL2Normalize } from './normalize.ts'
import { computeOnce } from './once.ts'
import { fusePooling } from './pool.ts'
import { fuseWords } from './words.ts'
import { settleZeros } from './zeros.ts'

/** A rewriting of a graph into one that computes the same with fewer, larger ops. */
interface Pass {
  readonly name: string
  /** @param inputs what is known of the graph's parameters, in their order */
  apply(graph: Graph, inputs: readonly Port[], ops: OpTable): Graph
}

/** In this order. */
export const PASSES: readonly Pass[] = [
  { name: 'settle the number of bins', apply: settleBins },
  { name: 'settle the shapes of zeros', apply: settleZeros },
  { name: 'fuse words to ids', apply: fuseWords },
  { name: 'fuse dense layers', apply: fuseDense },
  { name: 'fuse layer normalisation', apply: fuseLayerNorm },
  { name: 'fuse embedding pooling', apply: fusePooling },
  // After the layers: what they make is known to be a matrix.
  { name: 'fuse l2_normalize', apply: fuseL2Normalize },
]

/** After all others, which look for what one node alone reads. */
const ONCE: Pass = { name: 'compute once', apply: (graph, _, ops) => computeOnce(graph, ops) }

/** Only where it is asked for, after the others: this one changes what is computed. */
const INT8: Pass = { name: 'dense layers in bytes', apply: (graph) => denseToInt8(graph) }

/** In what the dense layers of a model compute. */
export type LayerType = 'float32' | 'int8'

/** A graph with what is known of its inputs. */
interface Part {
  readonly graph: Graph
  readonly inputs: readonly Port[]
}

/** The graph of `part` after all passes. */
const lowerGraph = ({ graph, inputs }: Part, ops: OpTable, dtype: LayerType): Graph =>
  prune(
    [...PASSES, ...(dtype === 'int8' ? [INT8] : []), ONCE].reduce((at, pass) => pass.apply(at, inputs, ops), graph),
    ops,
  )

/** A model whose graphs and towers are lowered. */
export function lower(definition: ModelDefinition, ops: OpTable, dtype: LayerType = 'float32'): ModelDefinition {
  const { towers } = definition
  const tower = <T extends Part | null>(side: T): T =>
    side === null ? side : { ...side, graph: lowerGraph(side, ops, dtype) }
  return {
    ...definition,
    signatures: definition.signatures.map((signature) => ({
      ...signature,
      graph: lowerGraph(signature, ops, dtype),
    })),
    towers: { ...towers, query: tower(towers.query), candidate: tower(towers.candidate) },
  }
}
