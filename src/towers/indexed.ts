import { constantOf, type Value } from '../graph/index.ts'

/** The query of a search over candidates that a graph holds. */
export interface Indexed {
  readonly query: Value
  /** How many candidates there are, and how wide they are. */
  readonly rows: number
  readonly width: number
}

/** The query where `output` are the scores of TopKV2(query · candidatesᵀ), as tfrs.layers.factorized_top_k.BruteForce has it. */
export function indexedQuery(output: Value): Indexed | null {
  let at = output
  while (PASSES.has(at.node.op)) at = at.node.inputs[0]
  if (at.node.op !== 'TopKV2' || at.index !== 0) return null
  const product = at.node.inputs[0].node
  if (product.op !== 'MatMul' || product.attrs.boolean('transpose_a', false)) return null
  const [query, candidates] = product.inputs
  const held = constantOf(candidates)
  if (held === null || constantOf(query) !== null) return null
  const [m, n] = held.shape
  const [rows, width] = product.attrs.boolean('transpose_b', false) ? [m, n] : [n, m]
  return { query, rows, width }
}

/** Ops that show the scores in another shape, or only those of the first query. */
const PASSES = new Set(['Reshape', 'Squeeze', 'Identity', 'StridedSlice'])
