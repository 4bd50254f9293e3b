import type { Call } from '../graph/index.ts'
import { broadcastIndices, broadcastShape } from '../ops/broadcast.ts'
import { sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { operand } from './binary.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import { type Place, SMALLEST } from './place.ts'

// tf.where of floats: masks of attention, of padding, of what is not a number.

/** Of each element that of `x` where the mask is set, else that of `y`, broadcast as SelectV2 does; null for the reference's. */
function chosen(mask: Tensor, x: Tensor, y: Tensor, memory: Memory, kernels: Kernels, least: number): Tensor | null {
  if (mask.dtype !== 'bool' || x.dtype !== 'float32' || y.dtype !== 'float32') return null
  const shape = broadcastShape(broadcastShape(mask.shape, x.shape), y.shape)
  const size = sizeOf(shape)
  if (size < least) return null
  const parts = [mask, x, y]
  const whole = layoutOf(
    parts.map((part) => part.shape),
    shape,
  )
  // Matrix by matrix where it is not all at once.
  const inner = whole === null ? shape.slice(-2) : shape
  const layout =
    whole ??
    layoutOf(
      parts.map((part) => part.shape.slice(-2)),
      inner,
    )
  if (layout === null || (whole === null && sizeOf(inner) < SMALLEST)) return null
  const places = parts.map((part) =>
    whole === null ? broadcastIndices(part.shape.slice(0, -2), shape.slice(0, -2)) : FIRST,
  )
  const sizes = parts.map((part) => sizeOf(whole === null ? part.shape.slice(-2) : part.shape))
  const [flags, from, other] = [memory.address(mask.data), memory.address(x.data), memory.address(y.data)]
  const out = memory.room(size)
  if (flags === null || from === null || other === null || out === null) return null
  const n = inner.at(-1) ?? 1
  const [m, a, b] = layout
  for (let i = 0; i < places[0].length; i++) {
    kernels.choose(
      out.byteOffset + 4 * i * sizeOf(inner),
      flags + places[0][i] * sizes[0],
      from + 4 * places[1][i] * sizes[1],
      other + 4 * places[2][i] * sizes[2],
      sizeOf(inner) / n,
      n,
      m.row,
      m.step,
      a.row,
      a.step,
      b.row,
      b.step,
    )
  }
  return { dtype: 'float32', shape, data: out }
}

const FIRST = Int32Array.of(0)

type Layout = NonNullable<ReturnType<typeof operand>>

/** How the kernel reads each of several in `shape`; null where it cannot read one. */
function layoutOf(of: readonly (readonly number[])[], shape: readonly number[]): Layout[] | null {
  const n = shape.at(-1) ?? 1
  const layouts = of.map((each) => operand(each, shape, sizeOf(shape) / n, n))
  return layouts.every((layout) => layout !== null) ? (layouts as Layout[]) : null
}

/** Select, whose mask of fewer dimensions is of the first ones. */
function chosenRows({ inputs: [mask, x, y] }: Call, memory: Memory, kernels: Kernels, least: number): Tensor | null {
  const rank = x.shape.length
  const isOfRows = mask.shape.length === 1 && rank > 1 && mask.shape[0] === x.shape[0]
  if (!sameShape(x.shape, y.shape) || (!isOfRows && !sameShape(mask.shape, x.shape))) return null
  const flags = isOfRows ? ({ ...mask, shape: x.shape.map((dim, axis) => (axis === 0 ? dim : 1)) } as Tensor) : mask
  return chosen(flags, x, y, memory, kernels, least)
}

/** Puts the kernel in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels, smallest: number): void {
  place('SelectV2', ({ inputs: [mask, x, y] }) => chosen(mask, x, y, memory, kernels, smallest))
  place('Select', (call) => chosenRows(call, memory, kernels, smallest))
}
