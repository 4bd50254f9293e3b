import type { Call } from '../graph/index.ts'
import type { Tensor, TensorOf } from '../tensor/index.ts'
import { packedInt8Length } from '../tensor/panelsint8.ts'
import { type LayerAttrs, layerAttrs } from './dense.ts'
import { int8Scratch, type Kernels, type Pointer } from './kernels.ts'
import type { Elements, Memory } from './memory.ts'
import { oncePerNode, type Place } from './place.ts'

/** What a layer's node says: asked for at each call it took one row as long as the layer's kernel. */
interface Layer extends LayerAttrs {
  /** Of its panels, factors, scales, totals and bias, 0 for none; null for what does not stay in memory. */
  readonly places: readonly (Pointer | null)[]
}

function layerOf({ inputs: [, panels, factors, scales, totals, bias], attrs }: Call, memory: Memory): Layer | null {
  const said = layerAttrs(attrs)
  if (panels.dtype !== 'int8' || panels.data.length !== packedInt8Length(said.k, said.n)) return null
  if (factors.dtype !== 'float32' || scales.dtype !== 'float32' || totals.dtype !== 'int32') return null
  const places = [panels.data, factors.data, scales.data, totals.data].map((values) => memory.keptAt(values))
  const shift = bias === undefined ? 0 : memory.keptAt((bias as TensorOf<'float32'>).data)
  return { ...said, places: [...places, shift] }
}

function denseInt8With(memory: Memory, kernels: Kernels): (call: Call) => Tensor | null {
  const paired = kernels.pairsBytes()
  const layerAt = oncePerNode((call) => layerOf(call, memory))
  return (call) => {
    const { inputs } = call
    const [x] = inputs
    const layer = layerAt(call)
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
