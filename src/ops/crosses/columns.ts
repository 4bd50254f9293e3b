import { InvalidArgumentError } from '../../errors.ts'
import type { Tensor } from '../../tensor/index.ts'
import { splitsOf } from '../ragged/splits.ts'
import { sparseOf } from '../sparse/coo.ts'

/** A feature of a batch: row `b` has the elements `starts[b] … starts[b] + counts[b]` of `values`. */
export interface Column {
  readonly values: Tensor
  readonly starts: readonly number[]
  readonly counts: readonly number[]
  /** Dense columns and sparse ones are hashed differently by SparseCrossHashed. */
  readonly dense: boolean
}

function checkDType({ dtype }: Tensor): void {
  if (dtype !== 'int64' && dtype !== 'string') throw new TypeError(`a feature must be int64 or string, got ${dtype}`)
}

/** A matrix, whose rows all have as many features as it has columns. */
export function denseColumn(values: Tensor): Column {
  checkDType(values)
  if (values.shape.length !== 2) {
    throw new InvalidArgumentError(`Dense inputs should be a matrix but received shape [${values.shape}]`)
  }
  const [rows, width] = values.shape
  return {
    values,
    starts: Array.from({ length: rows }, (_, row) => row * width),
    counts: new Array<number>(rows).fill(width),
    dense: true,
  }
}

/**
 * A sparse matrix, read row by row in the order of its entries. One that comes too late for its row belongs to none, or
 * with `late` to the next (the two kernels differ).
 */
export function sparseColumn(indices: Tensor, values: Tensor, shape: Tensor, late = false): Column {
  checkDType(values)
  const sparse = sparseOf(indices, values, shape)
  if (sparse.rank !== 2) throw new InvalidArgumentError(`Expected D2 of index to be 2 got ${sparse.rank}`)
  const [rows] = sparse.shape
  if (!(rows < 2 ** 31)) throw new InvalidArgumentError(`a batch of ${rows} rows is too large`)
  const starts: number[] = []
  const counts: number[] = []
  let entry = 0
  for (let row = 0; row < rows; row++) {
    starts.push(entry)
    while (entry < sparse.count) {
      const at = sparse.indices[2 * entry]
      if (!(late ? at <= row : at === row)) break
      entry++
    }
    counts.push(entry - starts[row])
  }
  return { values, starts, counts, dense: false }
}

/** A ragged matrix. */
export function raggedColumn(values: Tensor, splitsTensor: Tensor): Column {
  checkDType(values)
  if (values.shape.length !== 1) {
    throw new InvalidArgumentError('tf.ragged.cross only supports inputs with rank=2.')
  }
  const splits = splitsOf(splitsTensor, values.shape[0])
  return {
    values,
    starts: splits.slice(0, -1),
    counts: splits.slice(1).map((split, row) => split - splits[row]),
    dense: false,
  }
}

/** How many rows all of `columns` have. */
export function batchOf(columns: readonly Column[]): number {
  const batch = columns[0]?.counts.length ?? 0
  for (const { counts } of columns) {
    if (counts.length !== batch) {
      throw new InvalidArgumentError(`Expected batch size ${batch} got ${counts.length}`)
    }
  }
  return batch
}

/** How many crosses each row has: the product of its columns' counts. */
export function crossCounts(columns: readonly Column[], batch: number): number[] {
  const counts = Array.from({ length: batch }, (_, row) =>
    columns.reduce((product, column) => product * column.counts[row], 1),
  )
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (!(total < 2 ** 31)) throw new InvalidArgumentError(`${total} crosses are too many`)
  return counts
}

/** Visits every combination of elements, one of each column, row by row; the last column changes fastest. */
export function forEachCross(
  columns: readonly Column[],
  counts: readonly number[],
  visit: (elements: readonly number[]) => void,
): void {
  const elements = new Array<number>(columns.length)
  counts.forEach((count, row) => {
    for (let cross = 0; cross < count; cross++) {
      let rest = cross
      for (let c = columns.length - 1; c >= 0; c--) {
        const { starts, counts } = columns[c]
        elements[c] = starts[row] + (rest % counts[row])
        rest = Math.floor(rest / counts[row])
      }
      visit(elements)
    }
  })
}
