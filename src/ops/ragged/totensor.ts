import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { sizeOf, type Tensor } from '../../tensor/index.ts'
import { broadcastIndices } from '../broadcast.ts'
import { checkedSize, join, pick } from '../elements.ts'
import { integersOf } from '../integers.ts'

/** One ragged dimension, from outside in. */
interface Partition {
  readonly type: string
  readonly tensor: Tensor
  readonly values: readonly number[]
}

/** The longest row of a partition. */
function longest({ type, values }: Partition): number {
  let most = 0
  if (type === 'ROW_SPLITS') {
    for (let i = 1; i < values.length; i++) most = Math.max(most, values[i] - values[i - 1])
    return most
  }
  for (let i = 0, run = 0; i < values.length; i++) {
    run = i > 0 && values[i] === values[i - 1] ? run + 1 : 1
    most = Math.max(most, run)
  }
  return most
}

/** For each row of `partition`'s values, the row above it that it belongs to. */
function parents({ type, values }: Partition, rows: number): number[] {
  if (type === 'VALUE_ROWIDS') {
    for (const row of values) {
      if (!(row >= 0 && row < rows)) {
        throw new InvalidArgumentError(`Got current_value_rowid=${row} which is not less than ${rows}`)
      }
    }
    return [...values]
  }
  if (type !== 'ROW_SPLITS') throw new InvalidArgumentError(`Unsupported partition type:${type}`)
  if (values.length - 1 > rows) {
    throw new InvalidArgumentError(`Row partition size is greater than output size: ${values.length - 1} > ${rows}`)
  }
  const result: number[] = []
  for (let row = 0; row + 1 < values.length; row++) {
    for (let i = values[row]; i < values[row + 1]; i++) result.push(row)
  }
  if (values.length > 0 && result.length !== values[values.length - 1]) {
    throw new InvalidArgumentError('Invalid row split size.')
  }
  return result
}

/** How many rows there are, and the partitions of the ragged dimensions. */
function readPartitions(types: readonly string[], tensors: readonly Tensor[]): { rows: number; ragged: Partition[] } {
  const all = types.map((type, i) => ({ type, tensor: tensors[i], values: integersOf(tensors[i], 'row partition') }))
  const [first] = all
  if (first === undefined) throw new InvalidArgumentError('No row_partition_types given.')
  if (first.values.length === 0) {
    throw new InvalidArgumentError('Invalid first partition input. Tensor requires at least one element.')
  }
  if (first.type === 'FIRST_DIM_SIZE') {
    if (first.tensor.shape.length !== 0) throw new InvalidArgumentError('FIRST_DIM_SIZE must be a scalar')
    return { rows: first.values[0], ragged: all.slice(1) }
  }
  if (first.type !== 'ROW_SPLITS') throw new InvalidArgumentError(`Cannot handle type ${first.type}`)
  return { rows: first.values.length - 1, ragged: all }
}

/** The dense shape asked for, combined with what the values say of the inner dimensions; -1 is unknown. */
function combineShapes(shape: Tensor, rank: number, values: Tensor): number[] {
  const inner = values.shape.slice(1)
  const asked = integersOf(shape, 'shape')
  if (shape.shape.length > 1) {
    throw new InvalidArgumentError(`Shape must be at most rank 1 but is rank ${shape.shape.length}`)
  }
  if (shape.shape.length === 0) {
    if (asked[0] !== -1)
      throw new InvalidArgumentError('The only valid scalar shape tensor is the fully unknown shape specified as -1.')
    return [...new Array<number>(rank + 1).fill(-1), ...inner]
  }
  const wanted = rank + values.shape.length
  if (values.shape.length === 0 || asked.length !== wanted) {
    throw new InvalidArgumentError(
      `rt_input.shape and shape=[${asked}] are incompatible: rt_input.rank = ${wanted} but shape.rank = ${asked.length}`,
    )
  }
  return asked.map((dim, d) => {
    if (dim < -1) throw new InvalidArgumentError(`Invalid dimension size: ${dim}`)
    const known = inner[d - rank - 1]
    if (d <= rank || dim === known) return dim
    if (dim >= 0) {
      throw new InvalidArgumentError(
        `rt_input.shape and shape=[${asked}] are incompatible: rt_input.shape[${d}] = ${known} but shape[${d}] = ${dim}`,
      )
    }
    return known
  })
}

function checkDefault(fallback: Tensor, values: Tensor): void {
  const inner = values.shape.slice(1)
  const offset = inner.length - fallback.shape.length
  const fits = offset >= 0 && fallback.shape.every((dim, d) => dim === 1 || dim === inner[d + offset])
  if (!fits) {
    throw new InvalidArgumentError(
      `default_value.shape=[${fallback.shape}] and rt_input.flat_values.shape=[${values.shape}] are incompatible: default_value must broadcast to a value`,
    )
  }
}

/**
 * After core/kernels/ragged_tensor_to_tensor_op.cc. Rows that are longer than the shape asked for are cut, shorter ones
 * filled up with default_value, which broadcasts to one value.
 */
export const toTensor: Op = {
  evaluate({ inputs: [shape, values, fallback, ...tensors], attrs }) {
    const { rows, ragged } = readPartitions(attrs.strings('row_partition_types'), tensors)
    checkDefault(fallback, values)
    const rank = ragged.length
    const dims = combineShapes(shape, rank, values)
    if (dims[0] < 0) dims[0] = rows
    ragged.forEach((partition, d) => {
      if (dims[d + 1] < 0) dims[d + 1] = longest(partition)
    })
    const size = checkedSize(dims, 'output shape')
    const inner = values.shape.slice(1)
    const width = sizeOf(inner)
    const blocks = width === 0 ? 0 : size / width
    /** The value row that each block of the output takes; -1 for the default. */
    const sources = new Float64Array(blocks).fill(-1)
    if (blocks > 0) {
      const positions = place(ragged, rows, dims)
      positions.forEach((position, row) => {
        if (position >= 0) sources[position] = row
      })
      if (positions.length > values.shape[0]) {
        throw new InvalidArgumentError(`row partitions ask for ${positions.length} values, got ${values.shape[0]}`)
      }
    }
    const padding = broadcastIndices(fallback.shape, inner)
    const elements = new Float64Array(size)
    for (let block = 0; block < blocks; block++) {
      for (let j = 0; j < width; j++) {
        const row = sources[block]
        elements[block * width + j] = row >= 0 ? row * width + j : values.data.length + padding[j]
      }
    }
    return pick(join([values, fallback]), elements, dims)
  },
}

/** Where in the output each value row goes, counted in values; -1 where it is cut off. */
function place(ragged: readonly Partition[], rows: number, dims: readonly number[]): number[] {
  let positions = Array.from({ length: rows }, (_, row) => (row < dims[0] ? row : -1))
  ragged.forEach((partition, d) => {
    const width = dims[d + 1]
    let column = 0
    const above = parents(partition, positions.length)
    positions = above.map((parent, i, all) => {
      column = i > 0 && all[i - 1] === parent ? column + 1 : 0
      return positions[parent] < 0 || column >= width ? -1 : positions[parent] * width + column
    })
  })
  return positions
}
