import { constantOf, type Graph, type Node, type Value } from '../graph/index.ts'
import { rewrite } from '../graph/rewrite.ts'

/** Which input says how many bins there are, a scalar. */
const COUNTING: ReadonlyMap<string, number> = new Map([
  ['Bincount', 1],
  ['DenseBincount', 1],
  ['RaggedBincount', 2],
  ['SparseBincount', 3],
])

/**
 * tf.math.bincount asks for min(maxlength, max(minlength, largest value + 1)) bins. Keras gives both the number of tokens, so
 * the answer is that number, and nobody need look for the largest value.
 */
export function settleBins(graph: Graph): Graph {
  return rewrite(graph, (node, { emit }) => {
    const size = COUNTING.get(node.op)
    if (size === undefined || node.controls.length > 0) return null
    const bound = boundOf(node.inputs[size])
    if (bound === null) return null
    const inputs = node.inputs.with(size, bound)
    return [{ node: emit({ ...node, inputs }), index: 0 }]
  })
}

/** The constant that a value cannot but be: a lower bound that is its upper bound too. */
function boundOf({ node: minimum }: Value): Value | null {
  if (minimum.op !== 'Minimum') return null
  for (const [upper, rest] of pairs(minimum)) {
    if (rest.node.op !== 'Maximum') continue
    for (const [lower] of pairs(rest.node)) {
      const [most, least] = [integerOf(upper), integerOf(lower)]
      if (most !== null && most === least) return upper
    }
  }
  return null
}

const pairs = ({ inputs: [a, b] }: Node): readonly (readonly [Value, Value])[] => [
  [a, b],
  [b, a],
]

function integerOf(value: Value): bigint | null {
  const held = constantOf(value)
  const whole = held?.dtype === 'int32' || held?.dtype === 'int64'
  return whole && held.shape.length === 0 ? BigInt(held.data[0]) : null
}
