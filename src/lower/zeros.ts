import type { Graph, OpTable, Port, Value } from '../graph/index.ts'
import { prune, rewrite } from '../graph/rewrite.ts'
import { type Known, shapesOf } from './shapes.ts'

/**
 * Zeros in the shape of some value are those in the shape of the first value that is known to have the same one. Keras computes
 * a whole step of a recurrent layer only to know the shape of what its loop begins with.
 */
export function settleZeros(graph: Graph, inputs: readonly Port[], ops: OpTable): Graph {
  if (!graph.nodes.some(({ op }) => op === 'ZerosLike')) return graph
  const shapes = shapesOf(graph, inputs)
  const first = new Map<string, Value>()
  for (const node of graph.nodes) {
    for (let index = 0; ; index++) {
      const known = shapes.of({ node, index })
      if (known === null) break
      const key = keyOf(known)
      if (!first.has(key)) first.set(key, { node, index })
      if (node.op === 'Const') break
    }
  }
  const settled = rewrite(graph, (node, { old, emit, now }) => {
    const known = node.op === 'ZerosLike' && node.controls.length === 0 ? shapes.of(old.inputs[0]) : null
    const like = known === null ? undefined : first.get(keyOf(known))
    return like === undefined || like.node === old.inputs[0].node
      ? null
      : [{ node: emit({ ...node, inputs: [now(like)] }), index: 0 }]
  })
  // A lookup refuses an id past its table: it stays.
  const lookups = (of: Graph) => prune(of, ops).nodes.filter(({ op }) => op === 'GatherV2').length
  return lookups(settled) === lookups(graph) ? settled : graph
}

const keyOf = ({ dtype, shape }: Known): string => `${dtype} ${shape.join(' ')}`
