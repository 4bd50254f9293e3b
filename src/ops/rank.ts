import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  type ArrayDType,
  isBig,
  isFloat,
  type NumberArray,
  sizeOf,
  type Tensor,
  type TypedArray,
  withoutDenormals,
  zeros,
} from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'
import { integer, integersOf, integerTensor } from './integers.ts'
import { take } from './layout.ts'
import { sort, topN } from './unordered.ts'

// The largest and the smallest, after core/kernels/{topk_op,argmax_op,in_topk_op}.cc.

/**
 * The `k` largest of each row, largest first; of equal ones the one that comes first. A row with NaN is in the order in which
 * TensorFlow's sorting leaves it; where one number is asked for NaN is passed over, which TensorFlow's answer leaves to the
 * width of its vectors. Denormals are compared as the zeros that TensorFlow's threads take them for, and given as they are.
 */
function largest(x: NumericTensor, k: number, indexDType: ArrayDType): Tensor[] {
  const width = x.shape.at(-1)
  if (width === undefined) throw new InvalidArgumentError(`input must be >= 1-D, got shape [${x.shape}]`)
  if (k < 0) throw new InvalidArgumentError(`Need k >= 0, got ${k}`)
  if (width < k) throw new InvalidArgumentError(`input must have at least k columns. Had ${width}, needed ${k}`)
  const shape = [...x.shape.slice(0, -1), k]
  const rows = sizeOf(x.shape.slice(0, -1))
  const found = zeros('int32', rows * k)
  const data = withoutDenormals(x).data as TypedArray
  for (let row = 0; row < rows && k > 0; row++) {
    const start = row * width
    const better = (i: number, j: number) => {
      const [a, b] = [data[start + i], data[start + j]]
      if (a > b) return -1
      if (a < b) return 1
      return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - j
    }
    const line = (data as NumberArray).subarray(start, start + width)
    if (k > 1 && isFloat(x.dtype) && holdsNaN(line)) found.set(largestOfUnordered(line, k), row * k)
    else found.set(k === 1 ? [first(width, better)] : smallestOf(width, k, better), row * k)
  }
  const sources = found.map((i, at) => Math.floor(at / Math.max(k, 1)) * width + i)
  return [take(x, sources, shape), integerTensor(indexDType, shape, found)]
}

function holdsNaN(line: NumberArray): boolean {
  for (let i = 0; i < line.length; i++) if (Number.isNaN(line[i])) return true
  return false
}

/** After SortIndices of topk_op.cc: all are sorted, and then runs of equal ones by their place; fewer go through a heap. */
function largestOfUnordered(line: NumberArray, k: number): number[] {
  if (k < line.length) return topN(line.length, k, (a, b) => line[b] < line[a] || (!(line[b] > line[a]) && a < b))
  const all = Array.from(line, (_, i) => i)
  sort(all, (a, b) => line[b] < line[a])
  for (let i = 0; i < k; ) {
    let end = i + 1
    while (end < k && line[all[i]] === line[all[end]]) end++
    const run = all.slice(i, end).sort((a, b) => a - b)
    for (const place of run) all[i++] = place
  }
  return all
}

/** The number below `count` that comes first in `order`. */
function first(count: number, order: (i: number, j: number) => number): number {
  let best = 0
  for (let i = 1; i < count; i++) if (order(i, best) < 0) best = i
  return best
}

/** The `k` numbers below `count` that come first in `order`, in order: a heap of k with the last of them on top. */
export function smallestOf(count: number, k: number, order: (i: number, j: number) => number): number[] {
  const numbers = (below: number) => Array.from({ length: below }, (_, i) => i)
  if (k * 8 > count) return numbers(count).sort(order).slice(0, k)
  const heap = numbers(k).sort((i, j) => order(j, i))
  for (let i = k; i < count; i++) {
    if (order(i, heap[0]) >= 0) continue
    let at = 0
    for (let child = 1; child < k; child = 2 * at + 1) {
      if (child + 1 < k && order(heap[child + 1], heap[child]) > 0) child++
      if (order(heap[child], i) <= 0) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = i
  }
  return heap.sort(order)
}

const topK = (kOf: (call: Call) => number): Op => ({
  outputs: ['values', 'indices'],
  evaluate(call) {
    return largest(numeric(call, 0), kOf(call), call.attrs.dtype('index_type', 'int32') as ArrayDType)
  },
})

/** On a CPU nothing is approximate: it is TopK, and only the largest of the last dimension have a kernel there. */
const approxTopK: Op = {
  outputs: ['values', 'indices'],
  evaluate(call) {
    const dimension = call.attrs.number('reduction_dimension', -1)
    if (dimension !== -1 || !call.attrs.boolean('is_max_k', true)) {
      throw new InvalidArgumentError(
        `ApproxTopK has no kernel on a CPU but for the largest along dimension -1, got dimension ${dimension}`,
      )
    }
    return largest(numeric(call, 0), call.attrs.number('k'), 'int32')
  },
}

/** The index of the largest (or smallest) along a dimension, the first of equal ones. NaN is passed over where it can be. */
const extreme = (better: (a: number | bigint, b: number | bigint) => boolean): Op => ({
  evaluate(call) {
    const x = withoutDenormals(numeric(call, 0))
    const axis = axisOf(integer(call, 1, 'dim'), x.shape.length, 'dimension')
    const length = x.shape[axis]
    if (length === 0) throw new InvalidArgumentError(`Reduction axis ${axis} is empty in shape [${x.shape}]`)
    const inner = sizeOf(x.shape.slice(axis + 1))
    const dtype = call.attrs.dtype('output_type', 'int64') as ArrayDType
    return filled(dtype, x.shape.toSpliced(axis, 1), (out) => {
      for (let i = 0; i < out.length; i++) {
        const start = Math.floor(i / inner) * length * inner + (i % inner)
        let best = 0
        for (let j = 1; j < length; j++) {
          const [at, so] = [x.data[start + j * inner], x.data[start + best * inner]]
          if (better(at, so) || (Number.isNaN(so) && !Number.isNaN(at))) best = j
        }
        out[i] = isBig(dtype) ? BigInt(best) : best
      }
    })
  },
})

/** Whether each row's target is among its k largest. Not where the target does not exist or the row holds what is not finite. */
const inTopK = (kOf: (call: Call) => number): Op => ({
  evaluate(call) {
    const scores = numeric(call, 0)
    const [, targets] = call.inputs
    if (scores.shape.length !== 2) throw new InvalidArgumentError('predictions must be 2-dimensional')
    if (targets.shape.length !== 1) throw new InvalidArgumentError('targets must be 1-dimensional')
    const [rows, width] = scores.shape
    if (rows !== targets.shape[0]) {
      throw new InvalidArgumentError(
        `First dimension of predictions ${rows} must match length of targets ${targets.shape[0]}`,
      )
    }
    const k = kOf(call)
    const wanted = integersOf(targets, 'targets')
    return filled('bool', [rows], (out) => {
      for (let row = 0; row < rows; row++) {
        const scored = Array.from(scores.data.slice(row * width, (row + 1) * width) as ArrayLike<number>)
        const target = scored[wanted[row]]
        const sayable = target !== undefined && scored.every(Number.isFinite)
        out[row] = sayable && scored.filter((score) => score > target).length < k ? 1 : 0
      }
    })
  },
})

/** The n-th smallest of each row, from 0 on, or the n-th largest (kernels/nth_element_op.cc). */
const nthElement: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const n = integer(call, 1, 'n')
    if (n < 0) throw new InvalidArgumentError(`n must be non-negative, got ${n}`)
    if (x.shape.length === 0) throw new InvalidArgumentError('input must be at least a vector, got a scalar')
    const width = x.shape[x.shape.length - 1]
    if (width <= n) throw new InvalidArgumentError(`Input must have at least n+1 = ${n + 1} columns, got ${width}`)
    const place = call.attrs.boolean('reverse', false) ? width - 1 - n : n
    return filled(x.dtype, x.shape.slice(0, -1), (out) => {
      // The sort of a typed array is by value, NaN last.
      for (let i = 0; i < out.length; i++) out[i] = x.data.slice(i * width, (i + 1) * width).sort()[place]
    })
  },
}

const attribute = (call: Call): number => call.attrs.number('k')

export const ops: Readonly<Record<string, Op>> = {
  TopK: topK(attribute),
  TopKV2: topK((call) => integer(call, 1, 'k')),
  ApproxTopK: approxTopK,
  ArgMax: extreme((a, b) => a > b),
  ArgMin: extreme((a, b) => a < b),
  NthElement: nthElement,
  InTopK: inTopK(attribute),
  InTopKV2: inTopK((call) => integer(call, 2, 'k')),
}
