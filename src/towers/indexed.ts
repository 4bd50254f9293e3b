import { constantOf, type Value } from '../graph/index.ts'
import { DOT_PRODUCT } from '../ops/scann/distances.ts'
import { distanceOf } from '../ops/scann.ts'

/** The query of a search over candidates that a graph holds. */
export interface Indexed {
  readonly query: Value
  /** How many candidates there are. */
  readonly rows: number
  /** How wide they are; null where only hashes of them are kept. */
  readonly width: number | null
  readonly metric: 'dot' | 'euclidean'
  /** What is to be said of the search, in words. */
  readonly remark: string
}

/** The query whose search `output` are the scores of, by one of the layers of tfrs.layers.factorized_top_k. */
export function indexedQuery(output: Value): Indexed | null {
  let at = output
  while (PASSES.has(at.node.op)) at = at.node.inputs[0]
  return at.node.op === 'TopKV2' ? bruteForce(at) : SCANN.has(at.node.op) ? scann(at) : null
}

/** Ops that show the scores in another shape, or only those of the first query. */
const PASSES = new Set(['Reshape', 'Squeeze', 'Identity', 'StridedSlice'])

/** BruteForce: TopKV2(query · candidatesᵀ). */
function bruteForce({ node, index }: Value): Indexed | null {
  if (index !== 0) return null
  const product = node.inputs[0].node
  if (product.op !== 'MatMul' || product.attrs.boolean('transpose_a', false)) return null
  const [query, candidates] = product.inputs
  const held = constantOf(candidates)
  if (held === null || constantOf(query) !== null) return null
  const [m, n] = held.shape
  const [rows, width] = product.attrs.boolean('transpose_b', false) ? [m, n] : [n, m]
  return { query, rows, width, metric: 'dot', remark: '' }
}

const SCANN = new Set(['Scann>ScannSearch', 'Scann>ScannSearchBatched'])

/** ScaNN: a search in an index that is made of constants, as the inputs of TensorsToScann name them. */
function scann({ node, index }: Value): Indexed | null {
  const [searcher, query] = node.inputs
  if (index !== 1 || searcher.node.op !== 'Scann>TensorsToScann' || constantOf(query) !== null) return null
  const [vectors, config, , tokens, , hashes] = searcher.node.inputs.map(constantOf)
  if (!vectors || config?.dtype !== 'string') return null
  const metric = distanceOf(config.data.at(0)) === DOT_PRODUCT ? 'dot' : 'euclidean'
  const [rows, width] = vectors.shape
  if (width === undefined)
    return {
      query,
      rows: tokens?.shape[0] ?? hashes?.shape[0] ?? 0,
      width: null,
      metric,
      remark: "; ScaNN's index keeps only hashes of them, which are searched as ScaNN does",
    }
  return {
    query,
    rows,
    width,
    metric,
    remark: "; all of them are compared where ScaNN compares some, so what is found may be nearer than ScaNN's",
  }
}
