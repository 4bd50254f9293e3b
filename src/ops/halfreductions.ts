import type { Call } from '../graph/index.ts'
import type { NumberArray, Shape, Tensor } from '../tensor/index.ts'
import { sizeOf } from '../tensor/index.ts'
import { filled } from './elementwise.ts'
import { type HalfReducer, halfProduct, halfRounding, halfSum, LANES, reduceRun } from './halfsums.ts'
import { grid, progression } from './layout.ts'
import { outline } from './reduce.ts'

// Sum, Mean and Prod of half floats, step by step in Eigen's order (core/kernels/reduction_ops_common.h says how axes are
// taken together, TensorReduction.h the rest): verified on one thread, which takes what is short on any number of them.

/** Axes that lie together and are all reduced, or all kept. */
interface Axes {
  readonly isReduced: boolean
  readonly size: number
}

/** The axes of `shape` by whether they are reduced, neighbours taken together, those of one element left out. */
function simplified(shape: Shape, reduced: readonly boolean[]): Axes[] {
  const axes: Axes[] = []
  for (const [axis, size] of shape.entries()) {
    const last = axes.at(-1)
    if (size === 1) continue
    if (last?.isReduced === reduced[axis]) axes[axes.length - 1] = { ...last, size: last.size * size }
    else axes.push({ isReduced: reduced[axis], size })
  }
  return axes
}

/** The reductions of half floats that are rounded after each step. */
export type Stepwise = 'Sum' | 'Mean' | 'Prod' | 'EuclideanNorm'

/** `op` of half floats; null where TensorFlow does it in float32 and rounds once: the sum and the norm of bfloat16. */
export function reduceHalves(op: Stepwise, call: Call): Tensor | null {
  const [x] = call.inputs
  const { reduced, shape } = outline(call, x)
  const round = halfRounding(x.dtype)
  if (round === null || (x.dtype === 'bfloat16' && (op === 'Sum' || op === 'EuclideanNorm'))) return null
  const reducer = op === 'Prod' ? halfProduct(round) : halfSum(x.dtype, round)
  return filled(x.dtype as 'float16' | 'bfloat16', shape, (filling) => {
    const out = filling as NumberArray
    const data = x.data as Float32Array
    const squares = op === 'EuclideanNorm' ? data.map((value) => round(value * value)) : data
    reduceInto(out, squares, simplified(x.shape, reduced), reducer)
    if (op === 'EuclideanNorm') for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(out[i])
    if (op !== 'Mean') return
    const count = round(sizeOf(x.shape) / sizeOf(shape))
    for (let i = 0; i < out.length; i++) out[i] /= count
  })
}

/** By the pattern of kept and reduced axes; more than three of them are brought into one of rows first. */
function reduceInto(out: NumberArray, data: Float32Array, axes: readonly Axes[], reducer: HalfReducer): void {
  const pattern = axes.map(({ isReduced }) => (isReduced ? 'r' : 'k')).join('')
  const sizes = axes.map(({ size }) => size)
  if (pattern === '' || pattern === 'k') out.set(data)
  else if (pattern === 'rk') reduceColumns(out, data, sizes[0], sizes[1], reducer)
  else if (pattern === 'krk') reduceColumns(out, data, sizes[1], sizes[2], reducer)
  else if (pattern === 'rkr') reduceAround(out, data, sizes, reducer)
  else {
    const rows = pattern === 'r' || pattern === 'kr' ? data : keptFirst(data, axes)
    const width = out.length === 0 ? 0 : rows.length / out.length
    for (let i = 0; i < out.length; i++) out[i] = reduceRun(rows, i * width, (i + 1) * width, reducer)
  }
}

/** The elements of `data` with the kept axes before the reduced ones. */
function keptFirst(data: Float32Array, axes: readonly Axes[]): Float32Array {
  const lists = axes.map(({ isReduced, size }, i) => {
    const stride = sizeOf(axes.slice(i + 1).map((after) => after.size))
    return { isReduced, list: progression(size, stride) }
  })
  const order = [...lists.filter(({ isReduced }) => !isReduced), ...lists.filter(({ isReduced }) => isReduced)]
  return Float32Array.from(grid(order.map(({ list }) => list)), (at) => data[at])
}

/**
 * Matrices of `height` × `width`, each summed along its columns. Eight results that are neighbours within a row are a packet,
 * whose rows are taken four side by side where they are many; all others go one after the other.
 */
export function reduceColumns(
  out: NumberArray,
  data: Float32Array,
  height: number,
  width: number,
  reducer: HalfReducer,
): void {
  const packed = out.length - (out.length % LANES)
  for (let i = 0; i < out.length; i++) {
    const column = i % width
    const first = Math.floor(i / width) * height * width + column
    const packet = i - (i % LANES)
    const isPacked = i < packed && (packet % width) + LANES <= width && height >= reducer.tall
    out[i] = isPacked
      ? reduceTall(data, first, height, width, reducer)
      : reduceEach(data, first, height, width, reducer)
  }
}

/** `count` elements, `stride` apart, one after the other. */
function reduceEach(
  data: Float32Array,
  first: number,
  count: number,
  stride: number,
  { initial, join, round }: HalfReducer,
  before = initial,
): number {
  let total = before
  for (let i = 0; i < count; i++) total = round(join(total, data[first + i * stride]))
  return total
}

/** The same by four totals in turn, which are then joined, before what is left of the elements. */
function reduceTall(data: Float32Array, first: number, count: number, stride: number, reducer: HalfReducer): number {
  const quarter = Math.floor(count / 4)
  const totals = [0, 1, 2, 3].map((k) => reduceEach(data, first + k * stride, quarter, 4 * stride, reducer))
  const joined = totals.reduce((a, b) => reducer.round(reducer.join(a, b)))
  return reduceEach(data, first + 4 * quarter * stride, count % 4, stride, reducer, joined)
}

/** Reduced on both sides of the kept axis: along the first within each step along the last. */
function reduceAround(out: NumberArray, data: Float32Array, sizes: readonly number[], reducer: HalfReducer): void {
  const [outer, kept, inner] = sizes
  for (let k = 0; k < kept; k++) {
    let total = reducer.initial
    for (let i = 0; i < inner; i++) total = reduceEach(data, k * inner + i, outer, kept * inner, reducer, total)
    out[k] = total
  }
}
