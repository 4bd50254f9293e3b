import type { Call } from '../graph/index.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import { bind as bindChoices } from './choices.ts'
import { bind as bindGather } from './gather.ts'
import { bind as bindLogic } from './logic.ts'
import type { Memory } from './memory.ts'
import type { Bind } from './place.ts'
import { bind as bindTranspose } from './transpose.ts'

// What towers of sequences and images have around their layers: the rows of their words, steps before rows, masks, first states.

/** Zeros for a loop's first state, ones for a mask: where layers read them. */
function filled({ inputs: [dims, value] }: Call, memory: Memory, smallest: number): Tensor | null {
  if (value.dtype !== 'float32' || value.shape.length !== 0) return null
  if ((dims.dtype !== 'int32' && dims.dtype !== 'int64') || dims.shape.length !== 1) return null
  const shape = Array.from(dims.data, Number)
  if (shape.some((dim) => dim < 0) || sizeOf(shape) < smallest) return null
  const out = memory.room(sizeOf(shape))
  return out === null ? null : { dtype: 'float32', shape, data: out.fill(value.data[0]) }
}

/** Puts the kernels of all of them in place of the ops. */
export const bind: Bind = (place, memory, kernels, smallest, graphs) => {
  bindTranspose(place, memory, kernels)
  bindGather(place, memory, kernels, smallest, graphs)
  bindChoices(place, memory, kernels, smallest)
  bindLogic(place, smallest)
  place('Fill', (call) => filled(call, memory, smallest))
}
