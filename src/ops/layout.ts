import { InvalidArgumentError } from '../errors.ts'
import {
  type DType,
  isBig,
  isNumeric,
  type Shape,
  Strings,
  StringsBuilder,
  sizeOf,
  type Tensor,
  type TypedArray,
  zeros,
} from '../tensor/index.ts'

// Moving elements of any dtype: an op says which element goes where, this is how it gets there.

/** The steps between neighbours along each dimension of a row-major tensor. */
export function stepsOf(shape: Shape): number[] {
  const steps = new Array<number>(shape.length)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    steps[axis] = step
    step *= shape[axis]
  }
  return steps
}

/** `count` numbers: start, start + step, … */
export const progression = (count: number, step = 1, start = 0): number[] =>
  Array.from({ length: count }, (_, i) => start + i * step)

/**
 * Where the elements of a grid lie: element (i, j, …) at lists[0][i] + lists[1][j] + …, row-major. A slice, a
 * transposition, a tiling are each such lists over the steps of their input.
 */
export function grid(lists: readonly (readonly number[])[]): Int32Array {
  let all: Int32Array = zeros('int32', 1)
  for (const list of lists) {
    const next = zeros('int32', all.length * list.length)
    for (let i = 0, at = 0; i < all.length; i++) for (const offset of list) next[at++] = all[i] + offset
    all = next
  }
  return all
}

/** The elements `indices` of `x` in the shape `shape`. An index of -1 is the one element of `fill`, or nothing: 0, false, ''. */
export function take(x: Tensor, indices: ArrayLike<number>, shape: Shape, fill?: Tensor): Tensor {
  if (isNumeric(x)) {
    const [from, data] = [x.data as TypedArray, zeros(x.dtype, indices.length) as TypedArray]
    const other = fill === undefined ? (isBig(x.dtype) ? 0n : 0) : (fill.data as TypedArray)[0]
    for (let i = 0; i < data.length; i++) data[i] = indices[i] < 0 ? other : from[indices[i]]
    return { dtype: x.dtype, shape, data } as Tensor
  }
  if (x.dtype === 'string') {
    const builder = new StringsBuilder(indices.length)
    const other = fill?.dtype === 'string' ? fill.data.at(0) : new Uint8Array(0)
    for (let i = 0; i < indices.length; i++) builder.push(indices[i] < 0 ? other : x.data.at(indices[i]))
    return { dtype: 'string', shape, data: builder.finish() }
  }
  return { dtype: x.dtype, shape, data: Array.from(indices, (index) => x.data[index]) }
}

/**
 * The elements of `x` on a grid: what `take(x, grid(lists), shape)` is, but what lies together is copied together, be it
 * rows of a slice or all of a tensor.
 */
export function pick(x: Tensor, lists: readonly (readonly number[])[], shape: Shape): Tensor {
  let [run, first, outer] = [1, 0, lists.length]
  for (; outer > 0; outer--) {
    const list = lists[outer - 1]
    const [start = 0] = list
    if (list.some((offset, i) => offset !== start + i * run)) break
    first += start
    run *= list.length
  }
  const starts = grid(lists.slice(0, outer))
  if (run === 1) return take(x, first === 0 ? starts : starts.map((start) => start + first), shape)
  const picked = new Assembly(x.dtype, shape)
  for (const start of starts) picked.append(x, start + first, run)
  return picked.finish()
}

/** The same elements in another shape of as many. */
export const reshaped = (x: Tensor, shape: Shape): Tensor => ({ ...x, shape })

/** Puts a tensor together from runs of elements of others of its dtype, in order. */
export class Assembly {
  private readonly dtype: DType
  private readonly shape: Shape
  private readonly data: TypedArray | null
  private readonly runs: { readonly from: Tensor; readonly start: number; readonly count: number }[] = []
  private filled = 0

  /** @throws {RangeError} where `shape` is more than can be allocated */
  constructor(dtype: DType, shape: Shape) {
    this.dtype = dtype
    this.shape = shape
    const loose = dtype === 'string' || dtype === 'resource' || dtype === 'variant'
    this.data = loose ? null : zeros(dtype, sizeOf(shape))
  }

  /** Appends elements `start … start + count` of `from`. */
  append(from: Tensor, start: number, count: number): void {
    if (from.dtype !== this.dtype) throw new TypeError(`all inputs must be ${this.dtype}, got ${from.dtype}`)
    if (this.data === null) this.runs.push({ from, start, count })
    else if (isNumeric(from)) copy(from.data, start, count, this.data, this.filled)
    this.filled += count
  }

  finish(): Tensor {
    const { dtype, shape, data } = this
    if (this.filled !== sizeOf(shape)) throw new RangeError(`[${shape}] is filled by ${this.filled} elements`)
    if (data !== null) return { dtype, shape, data } as Tensor
    if (dtype === 'string') return { dtype, shape, data: this.strings() }
    const elements = this.runs.flatMap(({ from, start, count }) =>
      (from.data as readonly unknown[]).slice(start, start + count),
    )
    return { dtype, shape, data: elements } as Tensor
  }

  /** Neighbouring strings are neighbours in bytes, so that a run is one copy. */
  private strings(): Strings {
    const runs = this.runs.map(({ from, start, count }) => ({ from: from.data as Strings, start, count }))
    const size = runs.reduce(
      (sum, { from, start, count }) => sum + from.offsets[start + count] - from.offsets[start],
      0,
    )
    if (size > 2 ** 32 - 1) throw new InvalidArgumentError(`${size} bytes of strings do not fit into one tensor`)
    const bytes = new Uint8Array(size)
    const offsets = new Uint32Array(this.filled + 1)
    let [element, at] = [0, 0]
    for (const { from, start, count } of runs) {
      const first = from.offsets[start]
      bytes.set(from.bytes.subarray(first, from.offsets[start + count]), at)
      for (let i = 1; i <= count; i++) offsets[++element] = at + from.offsets[start + i] - first
      at += from.offsets[start + count] - first
    }
    return new Strings(bytes, offsets)
  }
}

function copy(from: TypedArray, start: number, count: number, to: TypedArray, at: number): void {
  if (count === 1) to[at] = from[start]
  else (to as Uint8Array).set(from.subarray(start, start + count) as Uint8Array, at)
}
