import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { isNumeric, sizeOf, type Tensor, type TypedArray, zeros } from '../../tensor/index.ts'
import { broadcastIndices } from '../broadcast.ts'
import { integersOf } from '../integers.ts'
import { checkedSize, joined, progression, take } from '../layout.ts'

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

/**
 * Where in the output each value row below `partition` goes, counted in values, after where the rows above it went; -1
 * where it is cut off. Rows of the output are `width` long.
 */
function placeRows({ type, values }: Partition, above: Int32Array, width: number): Int32Array {
  if (type === 'VALUE_ROWIDS') return placeByRow(values, above, width)
  if (type !== 'ROW_SPLITS') throw new InvalidArgumentError(`Unsupported partition type:${type}`)
  if (values.length - 1 > above.length) {
    throw new InvalidArgumentError(
      `Row partition size is greater than output size: ${values.length - 1} > ${above.length}`,
    )
  }
  const count = values.length === 0 ? 0 : values[values.length - 1]
  if (values.length > 0 && !isSplits(values)) throw new InvalidArgumentError('Invalid row split size.')
  const places = zeros('int32', count)
  for (let row = 0, i = 0; row + 1 < values.length; row++) {
    const start = above[row]
    for (let column = 0; i < values[row + 1]; i++, column++) {
      places[i] = start < 0 || column >= width ? -1 : start * width + column
    }
  }
  return places
}

/** Row splits begin at 0 and never fall: else they do not tell each value's row. */
function isSplits(values: readonly number[]): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] < values[i - 1]) return false
  return values[0] === 0
}

function placeByRow(rows: readonly number[], above: Int32Array, width: number): Int32Array {
  const places = zeros('int32', rows.length)
  for (let i = 0, column = 0; i < rows.length; i++) {
    const row = rows[i]
    if (!(row >= 0 && row < above.length)) {
      throw new InvalidArgumentError(`Got current_value_rowid=${row} which is not less than ${above.length}`)
    }
    column = i > 0 && rows[i - 1] === row ? column + 1 : 0
    places[i] = above[row] < 0 || column >= width ? -1 : above[row] * width + column
  }
  return places
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
    let places = zeros('int32', rows)
    for (let row = 0; row < rows; row++) places[row] = row < dims[0] ? row : -1
    if (size > 0)
      ragged.forEach((partition, d) => {
        places = placeRows(partition, places, dims[d + 1])
      })
    if (size > 0 && places.length > values.shape[0]) {
      throw new InvalidArgumentError(`row partitions ask for ${places.length} values, got ${values.shape[0]}`)
    }
    const padding = broadcastIndices(fallback.shape, inner)
    if (!isNumeric(values) || values.dtype !== fallback.dtype) {
      const elements = new Int32Array(size)
      for (let i = 0; i < size; i++) elements[i] = values.data.length + padding[i % width]
      if (size > 0) spread(progression(values.data.length), places, width, elements)
      return take(joined([values, fallback]), elements, dims)
    }
    const data = zeros(values.dtype, size) as TypedArray
    pad(data as Float32Array, fallback.data as Float32Array, padding)
    if (size > 0) spread(values.data as Float32Array, places, width, data as Float32Array)
    return { dtype: values.dtype, shape: dims, data } as Tensor
  },
}

interface Elements {
  readonly length: number
  [index: number]: number
}

/** Fills `out` with one default value after the other. */
function pad(out: Elements, fallback: Elements, padding: Int32Array): void {
  if (padding.length === 1) (out as Float32Array).fill(fallback[0])
  else for (let i = 0; i < out.length; i++) out[i] = fallback[padding[i % padding.length]]
}

/** Puts the value rows, `width` elements each, where they go. */
function spread(values: Elements, places: Int32Array, width: number, out: Elements): void {
  for (let row = 0; row < places.length; row++) {
    if (places[row] < 0) continue
    for (let j = 0; j < width; j++) out[places[row] * width + j] = values[row * width + j]
  }
}
