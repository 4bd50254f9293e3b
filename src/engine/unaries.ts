import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { unary } from './table.ts'

// Functions of one number that few towers have: Erfc is Keras 3's gelu.

/** Puts the kernels in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels, smallest: number): void {
  for (const [name, kernel] of Object.entries({ Erfc: kernels.erfc, Softsign: kernels.softsign }))
    place(name, ({ inputs: [x] }) => unary(x, memory, smallest, kernel))
}
