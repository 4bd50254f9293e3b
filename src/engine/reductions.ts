import type { Attrs, Call } from '../graph/index.ts'
import { sizeOf, type Tensor, type TensorOf } from '../tensor/index.ts'
import { COMBINERS, type Kernels, type Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'

type Floats = TensorOf<'float32'>

/** Sums and means over axes that lie side by side. */
export function placeReductions(place: Place, memory: Memory, kernels: Kernels, smallest: number): void {
  for (const [name, row, combiner] of [
    ['Sum', kernels.rowSum, COMBINERS.sum],
    ['Mean', kernels.rowMean, COMBINERS.mean],
  ] as const) {
    const each: OverSteps = (out, x, rows, steps, n) => {
      const ends = memory.address(Int32Array.from({ length: rows + 1 }, (_, i) => i * steps))
      if (ends === null) return false
      kernels.poolRows(out, x, 0, 0, ends, rows, n, rows * steps, combiner, n)
      return true
    }
    place(name, (call) => overLast(call, memory, smallest, row) ?? overSteps(call, memory, smallest, each))
  }
}

/** The axes of a reduction, ascending; null where they are not the kernels' to take. */
function axesOf({ inputs: [x, axes] }: Call, smallest: number): number[] | null {
  if (x.dtype !== 'float32' || axes.dtype !== 'int32' || x.data.length < smallest) return null
  const rank = x.shape.length
  const all = [...axes.data].map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b)
  // A wrong axis or a doubled one is the reference's to refuse.
  return all.some((axis, i) => !(axis >= 0 && axis < rank) || axis === all[i - 1]) ? null : all
}

/** The shape without the axes, or with ones in their place. */
const without = (shape: readonly number[], axes: readonly number[], attrs: Attrs): number[] =>
  attrs.boolean('keep_dims', false)
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis))

/** Over the last axes, so that what comes together lies together; axes of one element may follow. */
export function overLast(call: Call, memory: Memory, smallest: number, kernel: Kernels['rowSum']): Tensor | null {
  const axes = axesOf(call, smallest)
  const x = call.inputs[0] as Floats
  if (axes === null || axes.length === 0) return null
  let end = x.shape.length
  while (x.shape[end - 1] === 1 && axes[axes.length - 1] !== end - 1) end--
  const first = end - axes.length
  if (axes.some((axis, i) => axis !== first + i)) return null
  const rows = sizeOf(x.shape.slice(0, first))
  const [at, out] = [memory.address(x.data), memory.room(rows)]
  if (rows === 0 || at === null || out === null) return null
  kernel(out.byteOffset, at, rows, x.data.length / rows)
  return { dtype: 'float32', shape: without(x.shape, axes, call.attrs), data: out }
}

/** out[rows × n] of x[rows × steps × n]; false where there is no room. */
export type OverSteps = (out: Pointer, x: Pointer, rows: number, steps: number, n: number) => boolean

/**
 * Over neighbouring axes that others follow, as the steps of a sequence of vectors or the pixels of an image; axes of one
 * element count for nothing.
 */
export function overSteps(call: Call, memory: Memory, smallest: number, each: OverSteps): Tensor | null {
  const axes = axesOf(call, smallest)
  const x = call.inputs[0] as Floats
  if (axes === null || axes.length === 0 || x.data.length === 0) return null
  const long = axes.filter((axis) => x.shape[axis] !== 1)
  const [first = axes[0]] = long
  const end = first + Math.max(1, long.length)
  if (long.some((axis, i) => axis !== first + i)) return null
  const rows = sizeOf(x.shape.slice(0, first))
  const [steps, n] = [sizeOf(x.shape.slice(first, end)), sizeOf(x.shape.slice(end))]
  const [at, out] = [memory.address(x.data), memory.room(rows * n)]
  if (at === null || out === null || !each(out.byteOffset, at, rows, steps, n)) return null
  return { dtype: 'float32', shape: without(x.shape, axes, call.attrs), data: out }
}
