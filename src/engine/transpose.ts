import type { Call } from '../graph/index.ts'
import { stepsOf } from '../ops/layout.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Kernels, Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'

/** Elements from which on it is faster than the reference. */
const LEAST = 512

/** An axis of what is written: how many elements, and how far apart they were. */
export interface Axis {
  readonly count: number
  readonly step: number
}

/** Axes without those of one element, and with those in one where neighbours stay neighbours. */
export function joinedAxes(all: readonly Axis[]): Axis[] {
  const axes: Axis[] = []
  for (const { count, step } of all) {
    const last = axes[axes.length - 1]
    if (count === 1) continue
    if (last !== undefined && last.step === count * step) axes[axes.length - 1] = { count: last.count * count, step }
    else axes.push({ count, step })
  }
  return axes
}

/** `data` in the order of `axes`, two at least; null where there is no room. */
export function laid(data: Float32Array, axes: readonly Axis[], memory: Memory, kernels: Kernels): Float32Array | null {
  const [rows, columns] = axes.slice(-2)
  const [at, out] = [memory.address(data), memory.room(data.length)]
  if (at === null || out === null) return null
  let to: Pointer = out.byteOffset
  eachStart(axes.slice(0, -2), 0, (start) => {
    kernels.copySteps(to, at + 4 * start, rows.count, columns.count, rows.step, columns.step)
    to += 4 * rows.count * columns.count
  })
  return out
}

/** Calls `each` where each of the matrices that `axes` count begins, in the order in which they are written. */
function eachStart(axes: readonly Axis[], start: number, each: (start: number) => void): void {
  const [first, ...rest] = axes
  if (first === undefined) each(start)
  else for (let i = 0; i < first.count; i++) eachStart(rest, start + i * first.step, each)
}

function transposed({ inputs: [x, permutation] }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  if (x.dtype !== 'float32' || x.data.length < LEAST) return null
  if (permutation.dtype !== 'int32' || permutation.shape.length !== 1) return null
  const rank = x.shape.length
  const order = [...permutation.data]
  // What is no permutation is the reference's to refuse.
  if (order.length !== rank || order.some((axis, i) => !(axis >= 0 && axis < rank) || order.indexOf(axis) !== i))
    return null
  const steps = stepsOf(x.shape)
  const axes = joinedAxes(order.map((axis) => ({ count: x.shape[axis], step: steps[axis] })))
  const shape = order.map((axis) => x.shape[axis])
  // The same elements in the same order: as Reshape, there is nothing to move.
  const data = axes.length < 2 ? x.data : laid(x.data, axes, memory, kernels)
  return data === null ? null : { dtype: 'float32', shape, data }
}

/** Puts the kernel in place of the op. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  place('Transpose', (call) => transposed(call, memory, kernels))
}
