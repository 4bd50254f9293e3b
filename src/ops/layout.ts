import { InvalidArgumentError } from '../errors.ts'
import {
  type ArrayDType,
  type DType,
  isBig,
  isComplex,
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
export function progression(count: number, step = 1, start = 0): number[] {
  const numbers = new Array<number>(count)
  for (let i = 0, at = start; i < count; i++, at += step) numbers[i] = at
  return numbers
}

/**
 * Where the elements of a grid lie: element (i, j, …) at lists[0][i] + lists[1][j] + …, row-major. A slice, a
 * transposition, a tiling are each such lists over the steps of their input.
 */
export function grid(lists: readonly (readonly number[])[]): Int32Array {
  let all: Int32Array = Int32Array.of(0)
  for (let d = 0; d < lists.length; d++) {
    const list = lists[d]
    if (d === 0) all = new Int32Array(list)
    else if (list.length !== 1 || list[0] !== 0) all = crossed(all, list)
  }
  return all
}

function crossed(starts: Int32Array, list: readonly number[]): Int32Array {
  const sums = zeros('int32', starts.length * list.length)
  for (let i = 0, at = 0; i < starts.length; i++) {
    for (let j = 0; j < list.length; j++) sums[at++] = starts[i] + list[j]
  }
  return sums
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
    const { bytes, offsets } = x.data
    for (let i = 0; i < indices.length; i++) {
      if (indices[i] < 0) builder.push(other)
      else builder.pushRange(bytes, offsets[indices[i]], offsets[indices[i] + 1])
    }
    return { dtype: 'string', shape, data: builder.finish() }
  }
  if (isComplex(x.dtype)) throw new TypeError(`${x.dtype} is not a type of this op`)
  const others = fill?.data as readonly unknown[] | undefined
  return {
    dtype: x.dtype,
    shape,
    data: Array.from(indices, (index) => (index < 0 ? others?.[0] : x.data[index])),
  } as Tensor
}

/** The slices `rows` of `x` along its first dimension, in that order. */
export function takeRows(x: Tensor, rows: ArrayLike<number>): Tensor {
  const inner = x.shape.slice(1)
  const width = sizeOf(inner)
  const taken = new Assembly(x.dtype, [rows.length, ...inner])
  for (let i = 0; i < rows.length; i++) taken.append(x, rows[i] * width, width)
  return taken.finish()
}

/** The elements of all `parts`, one after the other, as a vector; all are of one dtype. */
export function joined(parts: readonly Tensor[]): Tensor {
  const sizes = parts.map(({ shape }) => sizeOf(shape))
  const all = new Assembly(parts[0].dtype, [sizes.reduce((sum, size) => sum + size, 0)])
  for (const [i, part] of parts.entries()) all.append(part, 0, sizes[i])
  return all.finish()
}

/** How many elements a tensor of `dims` has, refused before anything of that size is made. */
export function checkedSize(dims: Shape, what: string): number {
  const size = sizeOf(dims)
  if (!dims.every((dim) => dim >= 0)) throw new InvalidArgumentError(`${what} [${dims}] has a negative dimension`)
  if (!(size < 2 ** 31)) throw new InvalidArgumentError(`${what} [${dims}] is too large`)
  return size
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
    if (!isProgression(list, run)) break
    first += start
    run *= list.length
  }
  if (outer === 0) return slice(x, first, run, shape)
  const starts = grid(lists.slice(0, outer))
  if (run === 1) return take(x, first === 0 ? starts : starts.map((start) => start + first), shape)
  const picked = new Assembly(x.dtype, shape)
  for (const start of starts) picked.append(x, start + first, run)
  return picked.finish()
}

/** `count` elements from `start`, which lie together. */
function slice(x: Tensor, start: number, count: number, shape: Shape): Tensor {
  if (isNumeric(x)) return { dtype: x.dtype, shape, data: x.data.slice(start, start + count) } as Tensor
  const picked = new Assembly(x.dtype, shape)
  picked.append(x, start, count)
  return picked.finish()
}

function isProgression(list: readonly number[], step: number): boolean {
  for (let i = 1; i < list.length; i++) if (list[i] !== list[0] + i * step) return false
  return true
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
    // No array is made for complex numbers, which are moved by their parts before they come here.
    this.data = loose ? null : zeros(dtype as ArrayDType, sizeOf(shape))
  }

  /** Appends elements `start … start + count` of `from`. */
  append(from: Tensor, start: number, count: number): void {
    if (from.dtype !== this.dtype) throw new TypeError(`all inputs must be ${this.dtype}, got ${from.dtype}`)
    if (this.data === null) this.runs.push({ from, start, count })
    else if (isNumeric(from)) copyRun(from.data, start, count, this.data, this.filled)
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

/** Elements from which on a bulk copy is faster than a loop, its view included. */
const LONG = 32

/** Copies `count` elements. Both arrays are of one dtype. */
export function copyRun(from: TypedArray, start: number, count: number, to: TypedArray, at: number): void {
  if (count < LONG) for (let i = 0; i < count; i++) to[at + i] = from[start + i]
  else (to as Uint8Array).set(from.subarray(start, start + count) as Uint8Array, at)
}
