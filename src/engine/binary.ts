import { broadcastIndices, broadcastShape, broadcasts } from '../ops/broadcast.ts'
import { sizeOf, type Tensor, type TensorOf } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import { SMALLEST } from './place.ts'

type Floats = TensorOf<'float32'>

export const BINARY = {
  Add: 'add',
  AddV2: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  DivNoNan: 'divNoNan',
  RealDiv: 'div',
  Maximum: 'maximum',
  Minimum: 'minimum',
  SquaredDifference: 'squaredDifference',
} as const satisfies Readonly<Record<string, keyof Kernels>>

/** Two tensors element by element, as far as a kernel's layout goes; null for what is the reference's. */
export function binary(x: Tensor, y: Tensor, memory: Memory, smallest: number, kernel: Kernels['add']): Tensor | null {
  if (x.dtype !== 'float32' || y.dtype !== 'float32') return null
  const shape = x.shape.length >= y.shape.length && x.data.length >= y.data.length ? x.shape : y.shape
  const size = sizeOf(shape)
  if (size < smallest) return null
  const n = shape[shape.length - 1] ?? 1
  const rows = size / n
  const [a, b] = [operand(x.shape, shape, rows, n), operand(y.shape, shape, rows, n)]
  const repeated = a === null ? repetition(x.shape, shape) : b === null ? repetition(y.shape, shape) : null
  if (repeated === null ? a === null || b === null : (a ?? b)?.row !== n) return byMatrices(x, y, memory, kernel)
  const [at, bt, out] = [memory.address(x.data), memory.address(y.data), memory.room(size)]
  if (at === null || bt === null || out === null) return null
  if (a !== null && b !== null) kernel(out.byteOffset, at, bt, rows, n, a.row, a.step, b.row, b.step)
  else if (repeated !== null) {
    const { blocks, times, length } = repeated
    const [whole, part] = [4 * times * length, 4 * length]
    for (let i = 0, to = out.byteOffset; i < blocks; i++, to += whole) {
      if (b === null) kernel(to, at + i * whole, bt + i * part, times, length, length, 1, 0, 1)
      else kernel(to, at + i * part, bt + i * whole, times, length, 0, 1, length, 1)
    }
  }
  return { dtype: 'float32', shape, data: out }
}

/**
 * Any other broadcast, [32, 20, 1, 16] and [32, 1, 20, 16] as additive attention has them: matrix by matrix, the last two
 * axes, of which the kernel takes each operand.
 */
function byMatrices(x: Floats, y: Floats, memory: Memory, kernel: Kernels['add']): Tensor | null {
  if (!broadcasts(x.shape, y.shape)) return null
  const shape = broadcastShape(x.shape, y.shape)
  const [outer, inner] = [shape.slice(0, -2), shape.slice(-2)]
  const [rows, n] = inner
  const [a, b] = [operand(x.shape.slice(-2), inner, rows, n), operand(y.shape.slice(-2), inner, rows, n)]
  // Of small ones the calls would take longer than the numbers.
  if (outer.length === 0 || rows * n < SMALLEST || a === null || b === null) return null
  const [from, beside] = [broadcastIndices(x.shape.slice(0, -2), outer), broadcastIndices(y.shape.slice(0, -2), outer)]
  const [at, bt, out] = [memory.address(x.data), memory.address(y.data), memory.room(sizeOf(shape))]
  if (at === null || bt === null || out === null) return null
  const [whole, own, other] = [rows * n, sizeOf(x.shape.slice(-2)), sizeOf(y.shape.slice(-2))].map((size) => 4 * size)
  for (let i = 0; i < from.length; i++)
    kernel(
      out.byteOffset + i * whole,
      at + from[i] * own,
      bt + beside[i] * other,
      rows,
      n,
      a.row,
      a.step,
      b.row,
      b.step,
    )
  return { dtype: 'float32', shape, data: out }
}

/**
 * An operand that is one row for each of several blocks, [2, 1, 1, 9] in [2, 4, 5, 9], as a mask of attention is: `blocks`
 * rows of `length`, each for `times` rows of the answer. Null for what is repeated otherwise.
 */
function repetition(
  of: readonly number[],
  shape: readonly number[],
): { readonly blocks: number; readonly times: number; readonly length: number } | null {
  if (of.length > shape.length) return null
  const own = [...new Array<number>(shape.length - of.length).fill(1), ...of]
  let first = 0
  while (first < own.length && own[first] === shape[first]) first++
  let end = own.length
  while (end > first && own[end - 1] === shape[end - 1]) end--
  if (own.slice(first, end).some((dim) => dim !== 1)) return null
  const [blocks, times] = [sizeOf(shape.slice(0, first)), sizeOf(shape.slice(first, end))]
  return { blocks, times, length: sizeOf(shape.slice(end)) }
}

/** How the kernel reads an operand of rows × n: whole, one row for all, a column, or a scalar; null for other broadcasts. */
export function operand(
  of: readonly number[],
  shape: readonly number[],
  rows: number,
  n: number,
): { readonly row: number; readonly step: number } | null {
  // More axes, though of one element: the answer has them too.
  if (of.length > shape.length) return null
  const size = sizeOf(of)
  if (size === 1) return { row: 0, step: 0 }
  const rank = of.length
  const first = shape.length - rank
  if (size === rows * n && of.every((dim, i) => dim === shape[first + i])) return { row: n, step: 1 }
  if (size === n && of[rank - 1] === n) return { row: 0, step: 1 }
  const isColumn =
    rank === shape.length && of[rank - 1] === 1 && of.every((dim, i) => i === rank - 1 || dim === shape[i])
  return isColumn ? { row: 1, step: 0 } : null
}
