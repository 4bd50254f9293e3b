// Boxes inside a tensor: the slices that a partitioned variable is stored in, and the slice that a restore asks for.
// The notation is TensorSlice's of tensorflow/core/framework/tensor_slice.cc.

import type { Shape } from '../tensor/index.ts'

/** One dimension of a slice as it is stored; length null is the whole dimension (written `-`). */
export interface Extent {
  readonly start: number
  readonly length: number | null
}

/** One dimension of a box: `length` indices from `start`. */
export interface Span {
  readonly start: number
  readonly length: number
}

/** The box that is all of `shape`. */
export const wholeOf = (shape: Shape): Span[] => shape.map((length) => ({ start: 0, length }))

/** The box of `extents` in a tensor of `shape`, or null where they do not fit each other. */
export function boxOf(shape: Shape, extents: readonly Extent[]): Span[] | null {
  if (extents.length !== shape.length) return null
  const box = extents.map(({ start, length }, d) => ({ start, length: length ?? shape[d] }))
  const fits = ({ start, length }: Span, d: number) => start >= 0 && length >= 0 && start + length <= shape[d]
  return box.every(fits) ? box : null
}

/**
 * The tensor and the box that a `shape_and_slices` string of RestoreV2 means: the full shape's dimensions, then for each
 * dimension `start,length` or `-`, joined by colons. `10 4 0,5:-` is the first 5 rows of a tensor of shape [10, 4].
 * @throws {RangeError} where the string is not of that form or the slice is not inside the shape
 */
export function parseShapeAndSlice(spec: string): { shape: number[]; box: Span[] } {
  const wrong = (why: string): RangeError =>
    new RangeError(
      `shape_and_slices ${JSON.stringify(spec)} ${why}; wanted for example "10 4 0,5:-", or "" for the whole`,
    )
  const words = spec.split(' ')
  const slice = words.pop()!
  if (words.length === 0) throw wrong('has no shape before the slice')
  const shape = words.map((word) => {
    if (!/^\d{1,15}$/.test(word)) throw wrong(`has ${JSON.stringify(word)} for a dimension`)
    return Number(word)
  })
  const extents = slice.split(':').map((item): Extent => {
    if (item === '-') return { start: 0, length: null }
    const [, start, length] = /^(\d{1,15}),(\d{1,15})$/.exec(item) ?? []
    if (start === undefined || Number(length) === 0) throw wrong(`has ${JSON.stringify(item)} for a slice's extent`)
    return { start: Number(start), length: Number(length) }
  })
  const box = boxOf(shape, extents)
  if (box === null) throw wrong('has a slice that is not inside its shape')
  return { shape, box }
}

/** The number of elements that two boxes share. */
export function sharedSize(a: readonly Span[], b: readonly Span[]): number {
  return overlap(a, b).reduce((size, { length }) => size * length, 1)
}

/**
 * Calls `copy` for each run of elements that boxes `source` and `target` share and that is contiguous in both.
 * @param copy is given where the run starts in the source's row-major elements, where in the target's, and its length
 */
export function eachRun(
  source: readonly Span[],
  target: readonly Span[],
  copy: (from: number, to: number, count: number) => void,
): void {
  const shared = overlap(source, target)
  if (shared.some(({ length }) => length === 0)) return
  // Inner dimensions that both boxes have whole make one run with the dimension outside them.
  let outer = shared.length
  let count = 1
  while (outer > 0) {
    outer--
    count *= shared[outer].length
    if (shared[outer].length !== source[outer].length || shared[outer].length !== target[outer].length) break
  }
  const index = shared.map(({ start }) => start)
  for (;;) {
    copy(offsetOf(index, source), offsetOf(index, target), count)
    let d = outer - 1
    for (; d >= 0; d--) {
      index[d]++
      if (index[d] < shared[d].start + shared[d].length) break
      index[d] = shared[d].start
    }
    if (d < 0) return
  }
}

function overlap(a: readonly Span[], b: readonly Span[]): Span[] {
  return a.map((span, d) => {
    const start = Math.max(span.start, b[d].start)
    return { start, length: Math.max(0, Math.min(span.start + span.length, b[d].start + b[d].length) - start) }
  })
}

/** Where `index` of the tensor lies among the row-major elements of `box`. */
function offsetOf(index: readonly number[], box: readonly Span[]): number {
  let offset = 0
  for (let d = 0; d < box.length; d++) offset = offset * box[d].length + index[d] - box[d].start
  return offset
}
