import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { Strings, sizeOf, type Tensor } from '../tensor/index.ts'
import { checkedSize, joined, take } from './layout.ts'
import { int64, requireOrdered, sparseOf } from './sparse/coo.ts'

// Sets along the last dimension, after core/kernels/set_kernels.cc.

/** Sets, one for each position in the dimensions but the last; positions without an element may be absent. */
interface Sets {
  readonly values: Tensor
  /** The dimensions but the last. */
  readonly dims: readonly number[]
  /** By row-major position in `dims`, the elements of `values` that lie there. */
  readonly groups: ReadonlyMap<number, readonly number[]>
}

function leading(shape: readonly number[]): number[] {
  if (shape.length < 2) throw new InvalidArgumentError(`Shape rank ${shape.length} < 2.`)
  return shape.slice(0, -1)
}

function denseSets(values: Tensor): Sets {
  const dims = leading(values.shape)
  const width = values.shape[values.shape.length - 1]
  const groups = new Map<number, number[]>()
  for (let row = 0; row < sizeOf(dims); row++)
    groups.set(
      row,
      Array.from({ length: width }, (_, i) => row * width + i),
    )
  return { values, dims, groups }
}

/** The set whose three tensors begin at input `first`. */
function sparseSets({ inputs, attrs }: Call, first: number): Sets {
  const sparse = sparseOf(inputs[first], inputs[first + 1], inputs[first + 2])
  if (attrs.boolean('validate_indices', true)) requireOrdered(sparse)
  const dims = leading(sparse.shape)
  const groups = new Map<number, number[]>()
  for (let i = 0; i < sparse.count; i++) {
    let position = 0
    dims.forEach((dim, d) => {
      position = position * dim + sparse.indices[i * sparse.rank + d]
    })
    const group = groups.get(position)
    if (group === undefined) groups.set(position, [i])
    else group.push(i)
  }
  return { values: sparse.values, dims, groups }
}

/** How elements `i` and `j` of `values` sort: numbers by value, strings by their bytes. */
function ordering(values: Tensor): (i: number, j: number) => number {
  if (values.dtype === 'string') return (i, j) => Strings.compare(values.data, i, values.data, j)
  const data = values.data as ArrayLike<number | bigint>
  return (i, j) => (data[i] < data[j] ? -1 : data[i] > data[j] ? 1 : 0)
}

/** `elements` sorted, each value once. */
function unique(elements: readonly number[], compare: (i: number, j: number) => number): number[] {
  return [...elements].sort(compare).filter((element, i, all) => i === 0 || compare(all[i - 1], element) !== 0)
}

/** Whether a value stays, by the sides that have it. */
const OPERATIONS: Readonly<Record<string, (a: boolean, b: boolean) => boolean>> = {
  'a-b': (a, b) => a && !b,
  'b-a': (a, b) => b && !a,
  intersection: (a, b) => a && b,
  union: () => true,
}

function operate({ attrs }: Call, a: Sets, b: Sets): Tensor[] {
  const name = attrs.string('set_operation').toLowerCase()
  const stays = OPERATIONS[name]
  if (stays === undefined) throw new InvalidArgumentError(`Invalid set_operation ${name}.`)
  if (String(a.dims) !== String(b.dims)) {
    throw new InvalidArgumentError(`Mismatched group shapes [${a.dims}] vs [${b.dims}].`)
  }
  const values = joined([a.values, b.values])
  const offset = a.values.data.length
  const compare = ordering(values)
  const positions = [...new Set([...a.groups.keys(), ...b.groups.keys()])].sort((x, y) => x - y)
  const kept: number[] = []
  const coordinates: number[] = []
  let longest = 0
  for (const position of positions) {
    const left = unique(a.groups.get(position) ?? [], compare)
    const right = unique(
      (b.groups.get(position) ?? []).map((element) => element + offset),
      compare,
    )
    const result = merge(left, right, compare, stays)
    longest = Math.max(longest, result.length)
    result.forEach((element, i) => {
      kept.push(element)
      coordinates.push(...coordinatesOf(position, a.dims), i)
    })
  }
  const rank = a.dims.length + 1
  return [
    int64([kept.length, rank], coordinates),
    take(values, kept, [kept.length]),
    int64([rank], [...a.dims, longest]),
  ]
}

/** The values of two sorted sets that stay, in order. */
function merge(
  left: readonly number[],
  right: readonly number[],
  compare: (i: number, j: number) => number,
  stays: (a: boolean, b: boolean) => boolean,
): number[] {
  const result: number[] = []
  let [i, j] = [0, 0]
  while (i < left.length || j < right.length) {
    const order = i === left.length ? 1 : j === right.length ? -1 : compare(left[i], right[j])
    if (stays(order <= 0, order >= 0)) result.push(order <= 0 ? left[i] : right[j])
    if (order <= 0) i++
    if (order >= 0) j++
  }
  return result
}

function coordinatesOf(position: number, dims: readonly number[]): number[] {
  const coordinates = new Array<number>(dims.length)
  let rest = position
  for (let d = dims.length - 1; d >= 0; d--) {
    coordinates[d] = rest % dims[d]
    rest = Math.floor(rest / dims[d])
  }
  return coordinates
}

const OUTPUTS = ['result_indices', 'result_values', 'result_shape']

/** How many different values each set has. */
const setSize: Op = {
  evaluate(call) {
    const { values, dims, groups } = sparseSets(call, 0)
    const size = checkedSize(dims, 'set shape')
    const compare = ordering(values)
    const data = new Int32Array(size)
    for (const [position, elements] of groups) data[position] = unique(elements, compare).length
    return { dtype: 'int32', shape: dims, data }
  },
}

export const ops: Readonly<Record<string, Op>> = {
  DenseToDenseSetOperation: {
    outputs: OUTPUTS,
    evaluate: (call) => operate(call, denseSets(call.inputs[0]), denseSets(call.inputs[1])),
  },
  DenseToSparseSetOperation: {
    outputs: OUTPUTS,
    evaluate: (call) => operate(call, denseSets(call.inputs[0]), sparseSets(call, 1)),
  },
  SparseToSparseSetOperation: {
    outputs: OUTPUTS,
    evaluate: (call) => operate(call, sparseSets(call, 0), sparseSets(call, 3)),
  },
  SetSize: setSize,
}
