import type { Call } from '../graph/index.ts'
import { stepsOf } from '../ops/layout.ts'
import type { Shape, Tensor } from '../tensor/index.ts'
import type { Kernels, Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'

/** Elements from which on it is faster than the reference. */
const LEAST = 2048

/** An axis of what is written: how many elements, and how far apart they were. */
interface Axis {
  readonly count: number
  readonly step: number
}

/** The axes of the result, without those of one element, and with those in one where neighbours stay neighbours. */
function axesOf(shape: Shape, order: readonly number[]): Axis[] {
  const steps = stepsOf(shape)
  const axes: Axis[] = []
  for (const axis of order) {
    const [count, step] = [shape[axis], steps[axis]]
    const last = axes[axes.length - 1]
    if (count === 1) continue
    if (last !== undefined && last.step === count * step) axes[axes.length - 1] = { count: last.count * count, step }
    else axes.push({ count, step })
  }
  return axes
}

/** Calls `each` where each of the matrices that `axes` count begins, in the order in which they are written. */
function eachStart(axes: readonly Axis[], start: number, each: (start: number) => void): void {
  const [first, ...rest] = axes
  if (first === undefined) each(start)
  else for (let i = 0; i < first.count; i++) eachStart(rest, start + i * first.step, each)
}

/** Elements that a matrix's columns lie together in are copied by a kernel, single ones here. */
function transposed({ inputs: [x, permutation] }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  if (x.dtype !== 'float32' || x.data.length < LEAST) return null
  if (permutation.dtype !== 'int32' || permutation.shape.length !== 1) return null
  const rank = x.shape.length
  const order = [...permutation.data]
  // What is no permutation is the reference's to refuse.
  if (order.length !== rank || order.some((axis, i) => !(axis >= 0 && axis < rank) || order.indexOf(axis) !== i))
    return null
  const axes = axesOf(x.shape, order)
  const shape = order.map((axis) => x.shape[axis])
  // The same elements in the same order: as Reshape, there is nothing to move.
  if (axes.length < 2) return { dtype: 'float32', shape, data: x.data }
  const [rows, columns] = axes.slice(-2)
  const out = memory.room(x.data.length)
  if (out === null) return null
  let to: Pointer = 0
  if (columns.step === 1) {
    const at = memory.address(x.data)
    if (at === null) return null
    eachStart(axes.slice(0, -2), 0, (start) => {
      kernels.copyRows(out.byteOffset + 4 * to, at + 4 * start, rows.count, columns.count, columns.count, rows.step)
      to += rows.count * columns.count
    })
  } else {
    const { data } = x
    eachStart(axes.slice(0, -2), 0, (start) => {
      for (let row = 0; row < rows.count; row++)
        for (let column = 0, from = start + row * rows.step; column < columns.count; column++, from += columns.step)
          out[to++] = data[from]
    })
  }
  return { dtype: 'float32', shape, data: out }
}

/** Puts the kernel in place of the op. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  place('Transpose', (call) => transposed(call, memory, kernels))
}
