import { constantOf, type Node, type NodeStep } from '../graph/index.ts'
import { BINARY } from './binary.ts'

// The layers that a graph ends in: ops that run by kernels as the shapes say, whatever the numbers are.

/** Ops that only give the numbers of their first input another shape. */
export const RESHAPES: ReadonlySet<string> = new Set(['ExpandDims', 'Identity', 'Reshape', 'Squeeze'])

/** Ops that layers begin with: what comes before is of each feature alone, a few numbers. */
const FIRST: ReadonlySet<string> = new Set(['ConcatV2', 'twotower>Dense', 'twotower>DenseInt8', 'twotower>LayerNorm'])

const LAYERS: ReadonlySet<string> = new Set([
  ...FIRST,
  ...RESHAPES,
  ...Object.keys(BINARY),
  ...`BiasAdd Elu LeakyRelu LogSoftmax Relu Relu6 Selu Sigmoid Softmax Softplus Square Tanh twotower>L2Normalize`.split(
    ' ',
  ),
])

/** The step that layers begin with, and end with the last. */
export function layersFrom(steps: readonly NodeStep[]): number {
  let first = steps.length
  for (let i = steps.length - 1; i >= 0 && isLayer(steps[i].node); i--) if (FIRST.has(steps[i].node.op)) first = i
  return first
}

/** A shape or an axis has to be known beforehand. */
function isLayer({ op, inputs, controls }: Node): boolean {
  const said = op === 'ConcatV2' ? inputs.slice(-1) : RESHAPES.has(op) ? inputs.slice(1) : []
  return LAYERS.has(op) && controls.length === 0 && said.every((value) => constantOf(value) !== null)
}
