import type { NodeStep } from '../graph/index.ts'
import { BINARY } from './binary.ts'

// Steps whose numbers the shapes of a graph's inputs decide: what Keras computes of a batch's size at each layer, to give a
// feature another shape. For inputs of the same shapes they are the same.

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** Ops whose outputs are of the shapes that their inputs' shapes come to. */
const SHAPED = new Set([
  ...Object.keys(BINARY),
  ...words(
    `Abs BiasAdd Cast Ceil Equal Exp Floor Greater GreaterEqual Identity IsNan Less LessEqual Log Log1p LogicalAnd
    LogicalNot LogicalOr LookupTableFind LookupTableFindV2 Neg NotEqual OnesLike Pack Relu Round Rsqrt Select SelectV2 Shape
    Sigmoid Sign Sqrt Square Squeeze StringLower StringToHashBucketFast Tanh ZerosLike twotower>Dense twotower>DenseInt8
    twotower>L2Normalize twotower>LayerNorm`,
  ),
])

/** The same where the inputs beside the first, or of some the last alone, are known numbers: shapes and axes. */
const SAID = words('ConcatV2 ExpandDims GatherV2 Max Mean Min Prod Reshape StridedSlice Sum Tile')

/** Ops that tell a shape. */
const TELLING = words('Rank Shape Size')

/** Ops by which numbers of shapes become others; they neither change anything nor know chance. */
const PURE = words(
  'Add AddV2 Cast ConcatV2 ExpandDims GatherV2 Identity Maximum Minimum Mul Pack Prod Reshape Squeeze StridedSlice Sub',
)

/** Floats may lie where a run has its values, which are gone after it. */
const WHOLE = words('int32 int64')

/**
 * Of each step whether its one output is known.
 * @param slots those of the inputs, and of constants
 */
export function knownSteps(
  steps: readonly NodeStep[],
  isInput: (slot: number) => boolean,
  isConstant: (slot: number) => boolean,
): boolean[] {
  const shaped = new Set<number>()
  const known = new Set<number>()
  const isKnown = (slot: number) => isConstant(slot) || known.has(slot)
  const isShaped = (slot: number) => isInput(slot) || isConstant(slot) || shaped.has(slot)
  return steps.map(({ node, inputs, output, count }) => {
    const { op, controls } = node
    if (controls.length > 0 || count !== 1) return false
    const said = op === 'ConcatV2' ? inputs.slice(-1) : inputs.slice(op === 'GatherV2' ? 2 : 1)
    if (inputs.every(isShaped) && (SHAPED.has(op) || (SAID.has(op) && said.every(isKnown)))) shaped.add(output)
    const isWhole = op !== 'Cast' || WHOLE.has(node.attrs.dtype('DstT'))
    const here = TELLING.has(op) ? inputs.every(isShaped) : PURE.has(op) && isWhole && inputs.every(isKnown)
    if (here) known.add(output)
    return here
  })
}
