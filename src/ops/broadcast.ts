import { InvalidArgumentError } from '../errors.ts'
import { type Shape, sizeOf } from '../tensor/index.ts'

/**
 * The shape that both `a` and `b` broadcast to, by NumPy's rules as in TensorFlow's BCast.
 * @throws {InvalidArgumentError} where a dimension is neither equal nor 1
 */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1
    const n = b[b.length - i] ?? 1
    if (m !== n && m !== 1 && n !== 1) throw new InvalidArgumentError(`Incompatible shapes: [${a}] vs. [${b}]`)
    shape[rank - i] = m === 1 ? n : m
  }
  return shape
}

/** Whether both broadcast to one shape. */
export const broadcasts = (a: Shape, b: Shape): boolean =>
  a.every((dim, i) => {
    const other = b[b.length - a.length + i] ?? 1
    return dim === other || dim === 1 || other === 1
  })

/**
 * For each element of `to`, in order, the element of a tensor of shape `from` that broadcasting puts there.
 * `from` must broadcast to `to`.
 */
export function broadcastIndices(from: Shape, to: Shape): Int32Array {
  const size = sizeOf(to)
  const indices = new Int32Array(size)
  if (size === 0) return indices
  const offset = to.length - from.length
  let filled = 1
  let stride = 1
  // Innermost dimension first: what is filled so far is repeated along the next dimension, shifted where `from` has it.
  for (let d = to.length - 1; d >= 0; d--) {
    const dim = d >= offset ? from[d - offset] : 1
    const step = dim === 1 ? 0 : stride
    for (let i = 1; i < to[d]; i++) {
      for (let j = 0; j < filled; j++) indices[i * filled + j] = indices[j] + i * step
    }
    filled *= to[d]
    stride *= dim
  }
  return indices
}

/** Where the elements of a broadcast tensor come from: by a list, or in order (step 1), or all from the one (step 0). */
export interface Places {
  readonly list: Int32Array | null
  readonly step: 0 | 1
}

export const EACH: Places = { list: null, step: 1 }
export const ONE: Places = { list: null, step: 0 }

export function places(from: Shape, to: Shape): Places {
  const size = sizeOf(from)
  // As many elements, so that nothing is repeated: a row and a batch of one, a column and its vector.
  if (size === sizeOf(to)) return EACH
  return size === 1 ? ONE : { list: broadcastIndices(from, to), step: 1 }
}

/** The element that stands at place `i`. */
export const at = ({ list, step }: Places, i: number): number => (list === null ? i * step : list[i])
