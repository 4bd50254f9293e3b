import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { type OverSteps, overLast, overSteps } from './reductions.ts'

// Greatest and least numbers over axes: of towers of dense layers few have them.

/** Puts the kernels in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels, smallest: number): void {
  for (const [name, row, pair] of [
    ['Max', kernels.rowMax, kernels.maximum],
    ['Min', kernels.rowMin, kernels.minimum],
  ] as const) {
    const each: OverSteps = (out, x, rows, steps, n) => {
      kernels.copyRows(out, x, rows, n, n, steps * n)
      for (let step = 1; step < steps; step++) pair(out, out, x + 4 * step * n, rows, n, n, 1, steps * n, 1)
      return true
    }
    place(name, (call) => overLast(call, memory, smallest, row) ?? overSteps(call, memory, smallest, each))
  }
}
