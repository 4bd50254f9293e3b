import { constantOf, type Graph, type Node } from '../graph/index.ts'

/** Ops that leave ids what they are. */
const CARRYING = new Set([
  'Cast',
  'Identity',
  'Reshape',
  'ExpandDims',
  'Squeeze',
  'Pack',
  'ConcatV2',
  'Maximum',
  'Minimum',
])

/** The rows of the embedding tables, and the classes of one-hot vectors, that the `index`-th input of `graph` chooses from. */
export function tableSizes(graph: Graph, index: number): number[] {
  const carriers = new Set<Node>([graph.parameters[index]])
  const sizes = new Set<number>()
  for (const node of graph.nodes) {
    const from = node.inputs.findIndex((input) => carriers.has(input.node))
    if (from < 0) continue
    if (CARRYING.has(node.op)) carriers.add(node)
    const held = node.inputs.length > 1 ? constantOf(node.inputs[node.op === 'OneHot' ? 1 : 0]) : null
    if (node.op === 'OneHot' && held?.dtype === 'int32') sizes.add(held.data[0])
    else if (from === 1 && held?.dtype === 'float32' && held.shape.length === 2) sizes.add(held.shape[0])
  }
  return [...sizes]
}
