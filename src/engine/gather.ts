import { type Call, constantOf, type Graph } from '../graph/index.ts'
import { copyRows } from '../ops/gather.ts'
import { sizeOf, type Tensor } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { indicesAt, SMALL_TABLE } from './pooling.ts'

/** Times the smallest that kernels take: from so many elements on it is faster than the reference, whose answer layers copy. */
const MANY = 64

/**
 * Rows of a table of floats by their indices, where layers read them: of one that stays in linear memory by a kernel, of
 * another one by one. Null for what is the reference's, wrong indices too, which it refuses in words.
 */
function gathered(
  { inputs: [table, indices, axis], attrs }: Call,
  memory: Memory,
  kernels: Kernels,
  least: number,
): Tensor | null {
  if (table.dtype !== 'float32' || (indices.dtype !== 'int32' && indices.dtype !== 'int64')) return null
  const { shape } = table
  const isFirst = axis.dtype !== 'string' && axis.shape.length === 0 && Number(axis.data[0]) === 0
  if (!isFirst || attrs.number('batch_dims', 0) !== 0 || shape.length === 0) return null
  const [count, width] = [indices.data.length, sizeOf(shape.slice(1))]
  if (count * width < least) return null
  const kept = memory.keptAt(table.data)
  const out = memory.room(count * width)
  const at = out === null ? null : indicesAt(indices, memory)
  if (out === null || at === null) return null
  if (kept !== null) {
    if (kernels.gatherRows(out.byteOffset, kept, at, count, width, shape[0], width) >= 0) return null
  } else if (!copied(out, table.data, new Int32Array(out.buffer, at, count), width, shape[0])) return null
  return { dtype: 'float32', shape: [...indices.shape, ...shape.slice(1)], data: out }
}

/** False where an index is of no row. */
function copied(out: Float32Array, table: Float32Array, rows: Int32Array, width: number, limit: number): boolean {
  if (rows.some((row) => row < 0 || row >= limit)) return false
  copyRows(table, rows, width, out)
  return true
}

/** The tables of `graphs` from which rows are taken, the smallest first, as far as all together are one small table. */
function smallTables(graphs: readonly Graph[]): Float32Array[] {
  const tables = new Set<Float32Array>()
  for (const { op, inputs } of graphs.flatMap(({ nodes }) => nodes)) {
    const table = op === 'GatherV2' ? constantOf(inputs[0]) : null
    if (table?.dtype === 'float32' && table.shape.length > 1) tables.add(table.data)
  }
  const small: Float32Array[] = []
  let rest = SMALL_TABLE
  for (const table of [...tables].sort((a, b) => a.length - b.length)) {
    rest -= table.length
    if (rest < 0) break
    small.push(table)
  }
  return small
}

/** Puts the kernel in place of the op, and small tables where it reads them. */
export function bind(place: Place, memory: Memory, kernels: Kernels, smallest: number, graphs: readonly Graph[]): void {
  memory.keep(smallTables(graphs))
  place('GatherV2', (call) => gathered(call, memory, kernels, MANY * smallest))
}
