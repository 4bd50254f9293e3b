import type { Attrs, Call } from '../graph/index.ts'
import type { Tensor, TensorOf } from '../tensor/index.ts'
import { ACTIVATIONS, type Kernels, type Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import { oncePerNode } from './place.ts'

type Floats = TensorOf<'float32'>

/** Of the ops that a dense layer may end in, as the kernel numbers them. */
const ACTIVATION_CODES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    Relu: ACTIVATIONS.relu,
    Relu6: ACTIVATIONS.relu6,
    Sigmoid: ACTIVATIONS.sigmoid,
    Tanh: ACTIVATIONS.tanh,
    Elu: ACTIVATIONS.elu,
    Selu: ACTIVATIONS.selu,
    Softplus: ACTIVATIONS.softplus,
    LeakyRelu: ACTIVATIONS.leakyRelu,
  }),
)

/** What the attributes of a dense layer say, whatever its weights are. */
export interface LayerAttrs {
  readonly k: number
  readonly n: number
  /** undefined where no kernel has the activation. */
  readonly activation: number | undefined
  readonly alpha: number
}

export function layerAttrs(attrs: Attrs): LayerAttrs {
  const activation = attrs.has('activation') ? ACTIVATION_CODES.get(attrs.string('activation')) : ACTIVATIONS.none
  const alpha = activation === ACTIVATIONS.elu ? 1 : attrs.number('alpha', 0)
  return { k: attrs.number('k'), n: attrs.number('n'), activation, alpha }
}

/** What a dense layer's node says. Addresses are 0 for no bias, null for what does not stay in memory. */
interface DenseLayer extends LayerAttrs {
  readonly weights: Pointer | null
  readonly bias: Pointer | null
}

function denseLayer({ inputs: [, panels, bias], attrs }: Call, memory: Memory): DenseLayer {
  return {
    ...layerAttrs(attrs),
    weights: memory.keptAt((panels as Floats).data),
    bias: bias === undefined ? 0 : memory.keptAt((bias as Floats).data),
  }
}

/** The kernel of `twotower>Dense`. */
export function denseWith(memory: Memory, kernels: Kernels): (call: Call) => Tensor | null {
  const layerOf = oncePerNode((call) => denseLayer(call, memory))
  return (call) => {
    const [x, panels, shift] = call.inputs
    if (panels.dtype !== 'float32') return null
    const layer = layerOf(call)
    const { k, n, activation, alpha } = layer
    // Wrong shapes are the reference's to refuse.
    if (x.dtype !== 'float32' || x.shape.length !== 2 || x.shape[1] !== k) return null
    const [rows] = x.shape
    if (rows === 0 || activation === undefined) return null
    const weights = layer.weights ?? memory.address(panels.data)
    const bias = layer.bias ?? memory.address((shift as Floats).data)
    const [at, out] = [memory.address(x.data), memory.room(rows * n)]
    if (weights === null || bias === null || at === null || out === null) return null
    kernels.dense(out.byteOffset, at, weights, bias, rows, k, n, activation, alpha)
    return { dtype: 'float32', shape: [rows, n], data: out }
  }
}
