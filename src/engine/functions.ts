import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { rowwise, unary } from './table.ts'

// Functions of a number or a row that few towers have. Erf is Keras 2's gelu, Erfc that of Keras 3.

/** Puts the kernels in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels, smallest: number): void {
  const { erf, erfc, logSoftmax, softmax, softsign } = kernels
  for (const [name, kernel] of Object.entries({ Erf: erf, Erfc: erfc, Softsign: softsign }))
    place(name, ({ inputs: [x] }) => unary(x, memory, smallest, kernel))
  for (const [name, kernel] of Object.entries({ LogSoftmax: logSoftmax, Softmax: softmax }))
    place(name, ({ inputs: [x] }) => rowwise(x, memory, smallest, kernel))
}
