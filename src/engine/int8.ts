import type { Call, Node } from '../graph/index.ts'
import type { Tensor, TensorOf } from '../tensor/index.ts'
import { packedInt8Length } from '../tensor/panelsint8.ts'
import { ACTIVATION_CODES } from './dense.ts'
import { ACTIVATIONS, int8Scratch, type Kernels, type Pointer } from './kernels.ts'
import type { Elements, Memory } from './memory.ts'
import type { Place } from './place.ts'

/** What a layer's node says, read once: asked for at each call it took one row as long as the layer's kernel. */
interface Layer {
  readonly k: number
  readonly n: number
  /** undefined where no kernel has the activation. */
  readonly activation: number | undefined
  readonly alpha: number
  /** Of its panels, factors, scales, totals and bias, 0 for none; null for what does not stay in memory. */
  readonly places: readonly (Pointer | null)[]
}

function layerOf({ inputs: [, panels, factors, scales, totals, bias], attrs }: Call, memory: Memory): Layer | null {
  const [k, n] = [attrs.number('k'), attrs.number('n')]
  if (panels.dtype !== 'int8' || panels.data.length !== packedInt8Length(k, n)) return null
  if (factors.dtype !== 'float32' || scales.dtype !== 'float32' || totals.dtype !== 'int32') return null
  const activation = attrs.has('activation') ? ACTIVATION_CODES[attrs.string('activation')] : ACTIVATIONS.none
  const alpha = activation === ACTIVATIONS.elu ? 1 : attrs.number('alpha', 0)
  const places = [panels.data, factors.data, scales.data, totals.data].map((values) => memory.keptAt(values))
  const shift = bias === undefined ? 0 : memory.keptAt((bias as TensorOf<'float32'>).data)
  return { k, n, activation, alpha, places: [...places, shift] }
}

function denseInt8With(memory: Memory, kernels: Kernels): (call: Call) => Tensor | null {
  const paired = kernels.pairsBytes()
  const layers = new WeakMap<Node, Layer | null>()
  return (call) => {
    const { inputs } = call
    const [x] = inputs
    let layer = layers.get(call.node)
    if (layer === undefined) {
      layer = layerOf(call, memory)
      layers.set(call.node, layer)
    }
    // Wrong shapes are the reference's to refuse.
    if (layer === null || x.dtype !== 'float32' || x.shape.length !== 2 || x.shape[1] !== layer.k) return null
    const { k, n, activation, alpha, places } = layer
    const [rows] = x.shape
    if (rows === 0 || activation === undefined) return null
    const place = (i: number) => places[i] ?? memory.address(inputs[i + 1].data as Elements)
    const [w, factors, scales, totals, bias] = [place(0), place(1), place(2), place(3), place(4)]
    const [at, out, scratch] = [memory.address(x.data), memory.room(rows * n), memory.room(int8Scratch(rows, k, n) / 4)]
    if (w === null || factors === null || scales === null || totals === null || bias === null) return null
    if (at === null || out === null || scratch === null) return null
    const [to, spare] = [out.byteOffset, scratch.byteOffset]
    kernels.denseInt8(to, at, w, factors, scales, totals, bias, rows, k, n, activation, alpha, spare, paired)
    return { dtype: 'float32', shape: [rows, n], data: out }
  }
}

/** Puts the kernel in place of the op. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  place('twotower>DenseInt8', denseInt8With(memory, kernels))
}
