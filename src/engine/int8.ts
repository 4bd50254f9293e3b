import type { Call } from '../graph/index.ts'
import type { Tensor, TensorOf } from '../tensor/index.ts'
import { packedInt8Length } from '../tensor/panelsint8.ts'
import { ACTIVATIONS, int8Scratch, type Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import { ACTIVATION_CODES, type Place } from './table.ts'

type Floats = TensorOf<'float32'>

function denseInt8({ inputs, attrs }: Call, memory: Memory, kernels: Kernels, paired: number): Tensor | null {
  const [x, panels, factors, scales, totals, bias] = inputs
  const [k, n] = [attrs.number('k'), attrs.number('n')]
  if (x.dtype !== 'float32' || x.shape.length !== 2 || x.shape[1] !== k) return null
  if (panels.dtype !== 'int8' || panels.data.length !== packedInt8Length(k, n)) return null
  if (factors.dtype !== 'float32' || scales.dtype !== 'float32' || totals.dtype !== 'int32') return null
  const [rows] = x.shape
  const activation = attrs.has('activation') ? ACTIVATION_CODES[attrs.string('activation')] : ACTIVATIONS.none
  if (rows === 0 || activation === undefined) return null
  const alpha = activation === ACTIVATIONS.elu ? 1 : attrs.number('alpha', 0)
  const shift = bias === undefined ? 0 : memory.address((bias as Floats).data)
  const [w, byRow] = [memory.address(panels.data), memory.address(factors.data)]
  const [byColumn, sums] = [memory.address(scales.data), memory.address(totals.data)]
  const [at, out, scratch] = [memory.address(x.data), memory.room(rows * n), memory.room(int8Scratch(rows, k, n) / 4)]
  if (w === null || byRow === null || byColumn === null || sums === null || shift === null) return null
  if (at === null || out === null || scratch === null) return null
  const [to, spare] = [out.byteOffset, scratch.byteOffset]
  kernels.denseInt8(to, at, w, byRow, byColumn, sums, shift, rows, k, n, activation, alpha, spare, paired)
  return { dtype: 'float32', shape: [rows, n], data: out }
}

/** Puts the kernel in place of the op. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  const paired = kernels.pairsBytes()
  place('twotower>DenseInt8', (call) => denseInt8(call, memory, kernels, paired))
}
