import { InvalidArgumentError } from '../../errors.ts'
import type { Call, Op } from '../../graph/index.ts'
import { type BigArray, isBig, type NumberArray, type Tensor, type TypedArray } from '../../tensor/index.ts'
import { filled, type NumericTensor, numeric } from '../elementwise.ts'
import { integersOf } from '../integers.ts'
import { checkedSize, take, takeRows } from '../layout.ts'
import { compareCoordinates, int64, orderOf, requireInside, type Sparse, sparseOf } from './coo.ts'

/** A sparse input of a number type, whose tensors begin at input `first`. */
function numericSparse(call: Call, first: number): Sparse & { readonly values: NumericTensor } {
  const [indices, , shape] = call.inputs.slice(first, first + 3)
  const values = numeric(call, first + 1)
  return { ...sparseOf(indices, values, shape), values }
}

/** How entries are combined, in numbers and in int64. */
interface Combination {
  readonly number: (x: number, y: number) => number
  readonly big: (x: bigint, y: bigint) => bigint
  /** Begins at 0 and not at the first entry: a −0 alone is 0 then. */
  readonly fromZero?: true
}

const SUM: Combination = { number: (x, y) => x + y, big: (x, y) => x + y, fromZero: true }
const MAX: Combination = { number: (x, y) => (x > y ? x : y), big: (x, y) => (x > y ? x : y) }

/** A reduction's dimensions: those that stay, and the result's shape. */
function reduction(sparse: Sparse, axes: Tensor, keep: boolean): { kept: number[]; shape: number[] } {
  const { rank, shape } = sparse
  const reduced = new Set<number>()
  for (const axis of integersOf(axes, 'reduction_axes')) {
    if (!(axis >= -rank && axis < rank)) {
      throw new InvalidArgumentError(`Invalid reduction dimension ${axis}, for input with ${rank} dimensions.`)
    }
    reduced.add(axis < 0 ? axis + rank : axis)
  }
  const kept = shape.map((_, d) => d).filter((d) => !reduced.has(d))
  const dims = keep ? shape.map((dim, d) => (reduced.has(d) ? 1 : dim)) : kept.map((d) => shape[d])
  return { kept, shape: dims }
}

/** The group that each entry belongs to, by the coordinates that stay, and the entry that stands for each group. */
function groups(sparse: Sparse, kept: readonly number[]): { group: Float64Array; first: number[] } {
  const { indices, rank, count } = sparse
  const keys = new Float64Array(count * kept.length)
  for (let i = 0; i < count; i++) {
    kept.forEach((d, k) => {
      keys[i * kept.length + k] = indices[i * rank + d]
    })
  }
  const group = new Float64Array(count)
  const first: number[] = []
  let last = -1
  for (const i of orderOf({ indices: keys, count, rank: kept.length })) {
    if (last < 0 || compareCoordinates(keys, i, keys, last, kept.length) !== 0) first.push(i)
    group[i] = first.length - 1
    last = i
  }
  return { group, first }
}

function combineGroups(values: NumericTensor, group: Float64Array, size: number, combine: Combination): Tensor {
  const seen = new Uint8Array(size).fill(combine.fromZero ? 1 : 0)
  const merge = <T>(from: { [i: number]: T }, to: { [i: number]: T }, apply: (x: T, y: T) => T) => {
    for (let i = 0; i < group.length; i++) {
      const g = group[i]
      to[g] = seen[g] === 1 ? apply(to[g], from[i]) : from[i]
      seen[g] = 1
    }
  }
  return filled(values.dtype, [size], (out) => {
    if (isBig(values.dtype)) merge(values.data as BigArray, out as BigArray, combine.big)
    else if (values.dtype === 'float32') {
      // Sums are kept in double precision and rounded once.
      const sums = new Float64Array(size)
      merge(values.data as NumberArray, sums, combine.number)
      for (let i = 0; i < size; i++) out[i] = sums[i]
    } else merge(values.data as NumberArray, out as NumberArray, combine.number)
  })
}

/** SparseReduceSum and -Max after core/kernels/sparse_reduce_op.cc: where there is no entry the result is zero. */
const reduce = (combine: Combination): Op => ({
  evaluate(call) {
    const sparse = numericSparse(call, 0)
    requireInside(sparse)
    const { kept, shape } = reduction(sparse, call.inputs[3], call.attrs.boolean('keep_dims', false))
    const size = checkedSize(shape, 'output shape')
    const { group, first } = groups(sparse, kept)
    const combined = combineGroups(sparse.values, group, first.length, combine)
    const sources = new Float64Array(size).fill(-1)
    first.forEach((entry, g) => {
      let position = 0
      for (const d of kept) position = position * sparse.shape[d] + sparse.indices[entry * sparse.rank + d]
      sources[position] = g
    })
    return take(combined, sources, shape, zero(sparse.values))
  },
})

const zero = ({ dtype }: NumericTensor): Tensor => filled(dtype, [1], () => {})

/** The same with a sparse result; with keep_dims reduced coordinates are 0. */
const reduceSparse = (combine: Combination): Op => ({
  outputs: ['output_indices', 'output_values', 'output_shape'],
  evaluate(call) {
    const sparse = numericSparse(call, 0)
    requireInside(sparse)
    const { kept, shape } = reduction(sparse, call.inputs[3], call.attrs.boolean('keep_dims', false))
    const { group, first } = groups(sparse, kept)
    const coordinates = first.flatMap((entry) =>
      (shape.length === sparse.rank ? sparse.shape.map((_, d) => d) : kept).map((d) =>
        kept.includes(d) ? sparse.indices[entry * sparse.rank + d] : 0,
      ),
    )
    return [
      int64([first.length, shape.length], coordinates),
      combineGroups(sparse.values, group, first.length, combine),
      int64([shape.length], shape),
    ]
  },
})

/** After core/kernels/sparse_tensor_dense_matmul_op.cc; sums are kept in double precision. */
const denseMatMul: Op = {
  evaluate(call) {
    const a = numericSparse(call, 0)
    const b = numeric(call, 3)
    if (a.rank !== 2) throw new InvalidArgumentError(`Tensor 'a_shape' must have 2 elements, got ${a.rank}`)
    if (b.shape.length !== 2) throw new InvalidArgumentError(`Tensor 'b' is not a matrix, got shape [${b.shape}]`)
    if (isBig(b.dtype)) throw new TypeError(`${b.dtype} is not a type of this op`)
    const [adjointA, adjointB] = [call.attrs.boolean('adjoint_a', false), call.attrs.boolean('adjoint_b', false)]
    const [rows, inner] = adjointA ? [a.shape[1], a.shape[0]] : a.shape
    const [innerB, columns] = adjointB ? [b.shape[1], b.shape[0]] : b.shape
    if (inner !== innerB) {
      throw new InvalidArgumentError(
        `Cannot multiply A and B because inner dimension does not match: ${inner} vs. ${innerB}.  Did you forget a transpose?  Dimensions of A: [${a.shape}).  Dimensions of B: [${b.shape}]`,
      )
    }
    const size = checkedSize([rows, columns], 'product shape')
    requireInside(a)
    const sums = new Float64Array(size)
    const [x, y] = [a.values.data as NumberArray, b.data as NumberArray]
    for (let i = 0; i < a.count; i++) {
      const m = a.indices[2 * i + (adjointA ? 1 : 0)]
      const k = a.indices[2 * i + (adjointA ? 0 : 1)]
      for (let n = 0; n < columns; n++) sums[m * columns + n] += x[i] * y[adjointB ? n * inner + k : k * columns + n]
    }
    return filled(b.dtype, [rows, columns], (out) => {
      for (let i = 0; i < size; i++) out[i] = sums[i]
    })
  },
}

/**
 * After core/kernels/sparse_add_op.cc: a merge of two tensors in row-major order. Sums nearer to zero than `thresh` are
 * left out; entries of one side only are all kept.
 */
const add: Op = {
  outputs: ['sum_indices', 'sum_values', 'sum_shape'],
  evaluate(call) {
    const [a, b] = [numericSparse(call, 0), numericSparse(call, 3)]
    const thresh = numeric(call, 6)
    if (thresh.shape.length !== 0) {
      throw new InvalidArgumentError(`The magnitude threshold must be a scalar: got shape [${thresh.shape}]`)
    }
    if (a.rank !== b.rank || a.shape.some((dim, d) => dim !== b.shape[d])) {
      throw new InvalidArgumentError(`Operands' shapes do not match: got [${a.shape}] vs. [${b.shape}]`)
    }
    const { rank } = a
    const kept: number[] = []
    const sums: (number | bigint)[] = []
    const keep = (value: number | bigint, entry: number) => {
      sums.push(value)
      kept.push(entry)
    }
    let [i, j] = [0, 0]
    while (i < a.count || j < b.count) {
      const order = i === a.count ? 1 : j === b.count ? -1 : compareCoordinates(a.indices, i, b.indices, j, rank)
      if (order === 0) {
        const value = sum(a.values.data[i], b.values.data[j])
        if ((value < 0 ? -value : value) >= thresh.data[0]) keep(value, i)
      }
      if (order < 0) keep(a.values.data[i], i)
      if (order > 0) keep(b.values.data[j], a.count + j)
      if (order <= 0) i++
      if (order >= 0) j++
    }
    const both = new Float64Array(a.indices.length + b.indices.length)
    for (let k = 0; k < both.length; k++)
      both[k] = k < a.indices.length ? a.indices[k] : b.indices[k - a.indices.length]
    return [
      takeRows(int64([a.count + b.count, rank], both), kept),
      filled(a.values.dtype, [sums.length], (out) => {
        for (let k = 0; k < sums.length; k++) out[k] = sums[k]
      }),
      a.shapeTensor,
    ]
  },
}

/**
 * After core/kernels/sparse_sparse_binary_op_shared.cc: the same merge, an entry of one side only being held against 0; a NaN
 * makes NaN.
 */
const larger = (sign: 1 | -1): Op => ({
  outputs: ['output_indices', 'output_values'],
  evaluate(call) {
    const [a, b] = [numericSparse(call, 0), numericSparse(call, 3)]
    if (a.rank !== b.rank || a.shape.some((dim, d) => dim !== b.shape[d]))
      throw new InvalidArgumentError(`Operands' shapes do not match: got [${a.shape}] vs. [${b.shape}]`)
    const nothing = isBig(a.values.dtype) ? 0n : 0
    const [rows, values]: [number[], (number | bigint)[]] = [[], []]
    let [i, j] = [0, 0]
    while (i < a.count || j < b.count) {
      const order = i === a.count ? 1 : j === b.count ? -1 : compareCoordinates(a.indices, i, b.indices, j, a.rank)
      const [x, y] = [order <= 0 ? a.values.data[i] : nothing, order >= 0 ? b.values.data[j] : nothing]
      rows.push(order <= 0 ? i++ : a.count + j)
      if (order >= 0) j++
      values.push(Number.isNaN(y) || (sign > 0 ? x < y : y < x) ? y : x)
    }
    const both = [...Array.from(a.indices), ...Array.from(b.indices)]
    return [
      takeRows(int64([a.count + b.count, a.rank], both), rows),
      filled(a.values.dtype, [values.length], (out) => {
        for (let k = 0; k < values.length; k++) out[k] = values[k]
      }),
    ]
  },
})

const sum = (x: number | bigint, y: number | bigint): number | bigint =>
  typeof x === 'bigint' && typeof y === 'bigint' ? BigInt.asIntN(64, x + y) : Number(x) + Number(y)

/**
 * SparseDenseCwise* after core/kernels/sparse_dense_binary_op_shared.cc: the dense side broadcasts to the sparse one, of
 * which only the entries are computed. Division refuses a zero anywhere in the dense side, floats included.
 */
const denseCwise = (
  apply: (x: number, y: number) => number,
  big: (x: bigint, y: bigint) => bigint,
  divides = false,
): Op => ({
  evaluate(call) {
    const sparse = numericSparse(call, 0)
    const dense = numeric(call, 3)
    const { rank, shape, indices, count, values } = sparse
    const offset = rank - dense.shape.length
    if (offset < 0 || dense.shape.some((dim, d) => dim !== 1 && dim !== shape[d + offset])) {
      throw new InvalidArgumentError(
        `SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: [${shape}] vs. [${dense.shape}]`,
      )
    }
    requireInside(sparse)
    if (divides && (dense.data as TypedArray).some((value) => Number(value) === 0)) {
      throw new InvalidArgumentError('SparseDenseCwiseDiv cannot divide by zero, but input dense tensor contains zero')
    }
    const positions = Float64Array.from({ length: count }, (_, i) => {
      let position = 0
      dense.shape.forEach((dim, d) => {
        position = position * dim + (dim === 1 ? 0 : indices[i * rank + d + offset])
      })
      return position
    })
    const map = <T>(x: { [i: number]: T }, y: { [i: number]: T }, to: { [i: number]: T }, op: (x: T, y: T) => T) => {
      for (let i = 0; i < count; i++) to[i] = op(x[i], y[positions[i]])
    }
    return filled(values.dtype, [count], (out) => {
      if (isBig(values.dtype)) map(values.data as BigArray, dense.data as BigArray, out as BigArray, big)
      else map(values.data as NumberArray, dense.data as NumberArray, out as NumberArray, apply)
    })
  },
})

/** After core/kernels/sparse_tensor_dense_add_op.cc: entries with the same coordinates add up. */
const denseAdd: Op = {
  evaluate(call) {
    const sparse = numericSparse(call, 0)
    const dense = numeric(call, 3)
    const { rank, shape, indices, count, values } = sparse
    if (rank !== dense.shape.length || shape.some((dim, d) => dim !== dense.shape[d])) {
      throw new InvalidArgumentError(
        `a has the shape [${shape}] and b [${dense.shape}]: they must be equal (no broadcasting is supported)`,
      )
    }
    requireInside(sparse)
    return filled(dense.dtype, dense.shape, (out) => {
      ;(out as NumberArray).set(dense.data as NumberArray)
      const add = <T>(to: { [i: number]: T }, from: { [i: number]: T }, sum: (x: T, y: T) => T) => {
        for (let i = 0; i < count; i++) {
          let position = 0
          for (let d = 0; d < rank; d++) position = position * shape[d] + indices[i * rank + d]
          to[position] = sum(to[position], from[i])
        }
      }
      if (isBig(dense.dtype)) add(out as BigArray, values.data as BigArray, SUM.big)
      else add(out as NumberArray, values.data as NumberArray, SUM.number)
    })
  },
}

/** After core/kernels/sparse_softmax_op.cc: over the entries of each row of the last dimension. */
const softmax: Op = {
  evaluate(call) {
    const sparse = numericSparse(call, 0)
    const { rank, count, values } = sparse
    if (rank < 2) {
      throw new InvalidArgumentError(`Input should have rank >= 2, but received shape: [${sparse.shape}]`)
    }
    requireInside(sparse)
    const { group, first } = groups(
      sparse,
      Array.from({ length: rank - 1 }, (_, d) => d),
    )
    const logits = values.data as NumberArray
    const highest = new Float64Array(first.length).fill(-Infinity)
    for (let i = 0; i < count; i++) highest[group[i]] = Math.max(highest[group[i]], logits[i])
    const totals = new Float64Array(first.length)
    const powers = Float64Array.from({ length: count }, (_, i) => Math.exp(logits[i] - highest[group[i]]))
    for (let i = 0; i < count; i++) totals[group[i]] += powers[i]
    return filled(values.dtype, [count], (out) => {
      for (let i = 0; i < count; i++) out[i] = powers[i] / totals[group[i]]
    })
  },
}

export const arithmetic: Readonly<Record<string, Op>> = {
  SparseReduceSum: reduce(SUM),
  SparseReduceSumSparse: reduceSparse(SUM),
  SparseReduceMax: reduce(MAX),
  SparseReduceMaxSparse: reduceSparse(MAX),
  SparseTensorDenseMatMul: denseMatMul,
  SparseTensorDenseAdd: denseAdd,
  SparseAdd: add,
  SparseSparseMaximum: larger(1),
  SparseSparseMinimum: larger(-1),
  SparseDenseCwiseAdd: denseCwise(
    (x, y) => x + y,
    (x, y) => x + y,
  ),
  SparseDenseCwiseMul: denseCwise(
    (x, y) => x * y,
    (x, y) => x * y,
  ),
  SparseDenseCwiseDiv: denseCwise(
    (x, y) => x / y,
    (x, y) => x / y,
    true,
  ),
  SparseSoftmax: softmax,
}
