import { constantOf, type Node, type Value } from '../graph/index.ts'
import { isNumeric, type TypedArray } from '../tensor/index.ts'

/** Guards of a norm against 0: max(Σx², ε), Σx² + ε, and Keras 3's min(rsqrt(Σx²), 1/ε). */
const GUARDS = new Set(['Maximum', 'Minimum', 'AddV2', 'Add'])
/** Past this ε the sum is changed of vectors that are no zeros: √(d² + 1) is no distance, x / max(|x|, 1) no unit vector. */
const LARGEST = 1e-6

/** `node`, or what it guards with constants: Keras 2 guards the root of a sum that was guarded before. */
export function unguarded(node: Node, largest = LARGEST): Node {
  if (!GUARDS.has(node.op)) return node
  const held = node.inputs.map(constantOf)
  const at = held.findIndex((constant) => constant !== null)
  const constant = held[at]
  if (!constant || !isNumeric(constant)) return node
  const guards = [...(constant.data as TypedArray)].every((x) =>
    node.op === 'Minimum' ? Number(x) >= 1 / largest : Number(x) >= 0 && Number(x) <= largest,
  )
  return guards ? unguarded(node.inputs[1 - at].node, largest) : node
}

/** True where `value` is an L2 normalisation of something. */
export const isNormalized = (value: Value): boolean => unscaled(value) !== null

/** What `value` is an L2 normalisation of: x · rsqrt(max(Σx², ε)), or x / √Σx²; null where it is none. */
export function unscaled({ node }: Value): Value | null {
  if (node.op === 'Mul') {
    const found = [node.inputs, [...node.inputs].reverse()].find(([x, factor]) => {
      const root = unguarded(factor.node)
      return root.op === 'Rsqrt' && isSquaredNorm(root.inputs[0].node, x)
    })
    return found?.[0] ?? null
  }
  const [x, norm] = node.inputs
  return (node.op === 'RealDiv' || node.op === 'DivNoNan') && isNorm(norm.node, x) ? x : null
}

/** True where `node` is the Euclidean norm of `x`'s rows. */
export function isNorm(node: Node, x: Value): boolean {
  let root = unguarded(node)
  if (root.op === 'Squeeze' || root.op === 'Reshape') root = unguarded(root.inputs[0].node)
  if (root.op === 'Sqrt') return isSquaredNorm(root.inputs[0].node, x)
  return root.op === 'EuclideanNorm' && isOfRows(root) && root.inputs[0].node === x.node
}

function isSquaredNorm(node: Node, x: Value): boolean {
  const sum = unguarded(node)
  if (sum.op !== 'Sum' || !isOfRows(sum)) return false
  const square = sum.inputs[0].node
  return (square.op === 'Square' || square.op === 'Mul') && square.inputs.every((input) => input.node === x.node)
}

/** The one axis that a reduction reduces, or null. */
export function reducedAxis(reduction: Node): number | null {
  const axes = constantOf(reduction.inputs[1])
  if (axes === null || !isNumeric(axes)) return null
  const data = axes.data as TypedArray
  return data.length === 1 ? Number(data[0]) : null
}

/** A reduction over the dimensions of an embedding, not over the rows of a batch or over all of both. */
export function isOfRows(reduction: Node): boolean {
  const axis = reducedAxis(reduction)
  return axis !== null && axis !== 0
}
