import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  rounded,
  type Shape,
  type Strings,
  StringsBuilder,
  sameShape,
  sizeOf,
  type Tensor,
  type TypedArray,
  zeros,
} from '../tensor/index.ts'
import { numeric } from './elementwise.ts'
import { sliceStarts } from './gathernd.ts'
import { integersOf, integerVector } from './integers.ts'
import { Assembly, take } from './layout.ts'

// Slices to where indices say, after core/kernels/{scatter_nd_op,dynamic_partition_op,dynamic_stitch_op}.cc. On a CPU an
// index out of range is refused.

interface Targets {
  /** Where each slice of the updates begins in the result. */
  readonly starts: readonly number[]
  /** Elements in a slice. */
  readonly inner: number
}

/** Where `updates` go in a tensor of shape `shape`. Each row of `indices` names at least one dimension. */
function targetsOf(indices: Tensor, updates: Tensor, shape: Shape): Targets {
  if (indices.shape.length < 2 || updates.shape.length === 0) {
    throw new InvalidArgumentError(
      `Indices must be rows and updates have at least one dimension: [${indices.shape}], [${updates.shape}]`,
    )
  }
  if (sizeOf(shape) === 0 && (sizeOf(indices.shape) > 0 || sizeOf(updates.shape) > 0)) {
    throw new InvalidArgumentError(`Indices and updates specified for empty output. indices shape: [${indices.shape}]`)
  }
  const [outer, [width]] = [indices.shape.slice(0, -1), indices.shape.slice(-1)]
  if (width === 0 || width > shape.length || !sameShape(updates.shape, [...outer, ...shape.slice(width)])) {
    throw new InvalidArgumentError(
      `Must have updates.shape = indices.shape[:-1] + shape[${width}:], got updates.shape: [${updates.shape}], indices.shape: [${indices.shape}], shape: [${shape}]`,
    )
  }
  return { starts: sliceStarts(indices, width, shape, 'shape'), inner: sizeOf(shape.slice(width)) }
}

/** How an update meets what is there. */
interface Meeting {
  numbers(there: number, update: number): number
  bigs(there: bigint, update: bigint): bigint
}

/** `data` (which this writes to) with the updates met in, in order. */
function meet(data: TypedArray, updates: TypedArray, { starts, inner }: Targets, { numbers, bigs }: Meeting): void {
  starts.forEach((start, row) => {
    for (let i = 0; i < inner; i++) {
      const [to, from] = [start + i, row * inner + i]
      const update = updates[from]
      data[to] = typeof update === 'bigint' ? bigs(data[to] as bigint, update) : numbers(data[to] as number, update)
    }
  })
}

const ADD: Meeting = { numbers: (a, b) => a + b, bigs: (a, b) => a + b }
const SUB: Meeting = { numbers: (a, b) => a - b, bigs: (a, b) => a - b }
const MIN: Meeting = { numbers: (a, b) => (b < a ? b : a), bigs: (a, b) => (b < a ? b : a) }
const MAX: Meeting = { numbers: (a, b) => (b > a ? b : a), bigs: (a, b) => (b > a ? b : a) }
const OR: Meeting = { numbers: (a, b) => a | b, bigs: (a, b) => a | b }

/** Zeros, and the updates added where the indices say. */
const scatterNd: Op = {
  evaluate(call) {
    const [indices, updates] = call.inputs
    const shape = integerVector(call, 2, 'shape')
    if (shape.some((dim) => dim < 0)) throw new InvalidArgumentError(`Invalid shape: [${shape}]`)
    const targets = targetsOf(indices, updates, shape)
    if (updates.dtype === 'string') return joined(updates.data, targets, shape)
    const x = numeric(call, 1)
    const data = zeros(x.dtype, sizeOf(shape)) as TypedArray
    meet(data, x.data, targets, x.dtype === 'bool' ? OR : ADD)
    return { dtype: x.dtype, shape, data: rounded(x.dtype, data) } as Tensor
  },
}

/** Strings are added by putting one behind the other. */
function joined(updates: Strings, { starts, inner }: Targets, shape: Shape): Tensor {
  const parts: Uint8Array[][] = Array.from({ length: sizeOf(shape) }, () => [])
  starts.forEach((start, row) => {
    for (let i = 0; i < inner; i++) parts[start + i].push(updates.at(row * inner + i))
  })
  const builder = new StringsBuilder(parts.length)
  for (const list of parts) builder.push(Uint8Array.from(list.flatMap((bytes) => [...bytes])))
  return { dtype: 'string', shape, data: builder.finish() }
}

const update = (meeting: Meeting): Op => ({
  evaluate(call) {
    const [x, updates] = [numeric(call, 0), numeric(call, 2)]
    const targets = targetsOf(call.inputs[1], updates, x.shape)
    const data = x.data.slice() as TypedArray
    meet(data, updates.data, targets, meeting)
    return { dtype: x.dtype, shape: x.shape, data: rounded(x.dtype, data) } as Tensor
  },
})

/** `x` with whole slices taken from `updates`. */
function replaced(x: Tensor, updates: Tensor, { starts, inner }: Targets): Tensor {
  const size = sizeOf(x.shape)
  const both = new Assembly(x.dtype, [size + sizeOf(updates.shape)])
  both.append(x, 0, size)
  both.append(updates, 0, sizeOf(updates.shape))
  const sources = Int32Array.from({ length: size }, (_, i) => i)
  starts.forEach((start, row) => {
    for (let i = 0; i < inner; i++) sources[start + i] = size + row * inner + i
  })
  return take(both.finish(), sources, x.shape)
}

const tensorScatterUpdate: Op = {
  evaluate({ inputs: [x, indices, updates] }) {
    return replaced(x, updates, targetsOf(indices, updates, x.shape))
  },
}

/** The slices of `data`, sorted into `num_partitions` lists, each in the order of the input. */
const dynamicPartition: Op = {
  outputs: (attrs) => [['outputs', attrs.number('num_partitions')]],
  evaluate({ inputs: [data, partitions], attrs }) {
    const count = attrs.number('num_partitions')
    const rank = partitions.shape.length
    if (!sameShape(data.shape.slice(0, rank), partitions.shape)) {
      throw new InvalidArgumentError(
        `data.shape must start with partitions.shape, got data.shape = [${data.shape}], partitions.shape = [${partitions.shape}]`,
      )
    }
    const lists: number[][] = Array.from({ length: count }, () => [])
    integersOf(partitions, 'partitions').forEach((partition, i) => {
      if (!(partition >= 0 && partition < count)) {
        throw new InvalidArgumentError(`partitions[${i}] = ${partition} is not in [0, ${count})`)
      }
      lists[partition].push(i)
    })
    const [rest, inner] = [data.shape.slice(rank), sizeOf(data.shape.slice(rank))]
    return lists.map((list) => {
      const part = new Assembly(data.dtype, [list.length, ...rest])
      for (const i of list) part.append(data, i * inner, inner)
      return part.finish()
    })
  },
}

/** Slices of several tensors to one by their indices; of those with one index the last stays. What no index names is zero. */
const dynamicStitch: Op = {
  evaluate({ inputs }: Call) {
    const count = inputs.length / 2
    const [indices, data] = [inputs.slice(0, count), inputs.slice(count)]
    const rest = data[0].shape.slice(indices[0].shape.length)
    const wanted = indices.map((t, i) => {
      const rank = t.shape.length
      if (!sameShape(data[i].shape.slice(0, rank), t.shape)) {
        throw new InvalidArgumentError(
          `data[${i}].shape = [${data[i].shape}] does not start with indices[${i}].shape = [${t.shape}]`,
        )
      }
      if (!sameShape(data[i].shape.slice(rank), rest)) {
        throw new InvalidArgumentError(
          `Need data[0].shape[${indices[0].shape.length}:] = data[${i}].shape[${rank}:], got data[0].shape = [${data[0].shape}], data[${i}].shape = [${data[i].shape}]`,
        )
      }
      const list = integersOf(t, `indices[${i}]`)
      const negative = list.find((index) => index < 0)
      if (negative !== undefined) throw new InvalidArgumentError(`indices[${i}] is out of range: ${negative}`)
      return list
    })
    const rows = wanted.flat().reduce((most, index) => Math.max(most, index + 1), 0)
    const inner = sizeOf(rest)
    const all = new Assembly(data[0].dtype, [wanted.flat().length * inner])
    for (const t of data) all.append(t, 0, sizeOf(t.shape))
    const sources = zeros('int32', rows * inner).fill(-1)
    wanted.flat().forEach((index, row) => {
      for (let i = 0; i < inner; i++) sources[index * inner + i] = row * inner + i
    })
    return take(all.finish(), sources, [rows, ...rest])
  },
}

export const ops: Readonly<Record<string, Op>> = {
  ScatterNd: scatterNd,
  TensorScatterUpdate: tensorScatterUpdate,
  TensorScatterAdd: update(ADD),
  TensorScatterSub: update(SUB),
  TensorScatterMin: update(MIN),
  TensorScatterMax: update(MAX),
  DynamicPartition: dynamicPartition,
  DynamicStitch: dynamicStitch,
  ParallelDynamicStitch: dynamicStitch,
}
