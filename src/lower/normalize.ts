import { Attrs, constantOf, type Graph, type Node, type Port, type Value } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'
import { DENSE } from './dense.ts'

/** The fused op's name: no op of TensorFlow's. Its semantics are in ops/fused.ts. */
const L2_NORMALIZE = 'twotower>L2Normalize'

/** tf.math.l2_normalize along the last axis, x · rsqrt(max(Σ x², ε)), becomes one node. */
export function fuseL2Normalize(graph: Graph, inputs: readonly Port[]): Graph {
  const matrices = new Set(graph.parameters.filter((_, i) => inputs[i].shape?.length === 2))
  const isMatrix = ({ node }: Value): boolean => node.op === DENSE || node.op === 'MatMul' || matrices.has(node)
  return rewrite(graph, (node, { emit }) => {
    const found = normalized(node, isMatrix)
    if (found === null) return null
    const attrs = new Attrs({ epsilon: found.epsilon })
    return [{ node: emit({ name: node.name, op: L2_NORMALIZE, attrs, inputs: [found.x], controls: [] }), index: 0 }]
  })
}

function normalized(node: Node, isMatrix: (value: Value) => boolean): { x: Value; epsilon: number } | null {
  if (node.op !== 'Mul' || node.controls.length > 0) return null
  const at = node.inputs.findIndex((value) => value.node.op === 'Rsqrt')
  if (at < 0) return null
  const x = node.inputs[1 - at]
  const guard = node.inputs[at].node.inputs[0].node
  if (guard.op !== 'Maximum') return null
  const [sum, bound] = constantOf(guard.inputs[0]) === null ? guard.inputs : [guard.inputs[1], guard.inputs[0]]
  const epsilon = constantOf(bound)
  const axis = sum.node.op === 'Sum' ? constantOf(sum.node.inputs[1]) : null
  if (
    epsilon?.dtype !== 'float32' ||
    epsilon.data.length !== 1 ||
    axis === null ||
    !sum.node.attrs.boolean('keep_dims', false)
  )
    return null
  const square = sum.node.inputs[0].node
  const ofX =
    (square.op === 'Square' || square.op === 'Mul') &&
    square.inputs.every((value) => value.node === x.node && value.index === x.index)
  // Axis 1 is the last one of a matrix; of most values the rank is not known here.
  const named =
    (axis.dtype === 'int32' || axis.dtype === 'int64') && axis.data.length === 1 ? Number(axis.data[0]) : null
  const last = named === -1 || (named === 1 && isMatrix(x))
  return ofX && last ? { x, epsilon: epsilon.data[0] } : null
}
