import type { Call } from '../graph/index.ts'
import { numbersOf, sizeOf, type Tensor, type TensorOf } from '../tensor/index.ts'
import { COMBINERS, type Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'

// Rows summed by their segment, by the kernel that pools an embedding's rows.

type Rows = TensorOf<'float32'>

/** Rows in the order of ascending segments: where those of each begin, and which rows they are (null: as they lie). */
interface Order {
  readonly splits: Int32Array
  readonly rows: Int32Array | null
}

/** Null for ids that are no integers of a vector; those that TensorFlow refuses are the reference's to refuse. */
function idsOf(ids: Tensor | undefined, rows: number): Int32Array | Float64Array | null {
  if (ids === undefined || ids.shape.length !== 1 || ids.shape[0] !== rows) return null
  return ids.dtype === 'int32' ? ids.data : ids.dtype === 'int64' ? numbersOf(ids.data) : null
}

function ascending(ids: ArrayLike<number>): Order | null {
  const splits = new Int32Array(ids.length === 0 ? 1 : ids[ids.length - 1] + 2)
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] < 0 || (i > 0 && ids[i] < ids[i - 1])) return null
    splits[ids[i] + 1]++
  }
  for (let s = 1; s < splits.length; s++) splits[s] += splits[s - 1]
  return { splits, rows: null }
}

/** A negative id's row is in no segment. */
function sortedBy(ids: ArrayLike<number>, segments: number): Order | null {
  const splits = new Int32Array(segments + 1)
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] >= segments) return null
    if (ids[i] >= 0) splits[ids[i] + 1]++
  }
  for (let s = 1; s < splits.length; s++) splits[s] += splits[s - 1]
  const next = splits.slice(0, segments)
  const rows = new Int32Array(splits[segments])
  for (let i = 0; i < ids.length; i++) if (ids[i] >= 0) rows[next[ids[i]]++] = i
  return { splits, rows }
}

function pooled(x: Rows, { splits, rows }: Order, combiner: number, memory: Memory, kernels: Kernels): Tensor | null {
  const segments = splits.length - 1
  const n = sizeOf(x.shape.slice(1))
  if (segments * n === 0) return null
  const [table, ends] = [memory.address(x.data), memory.address(splits)]
  const indices = rows === null || rows.length === 0 ? 0 : memory.address(rows)
  const out = memory.room(segments * n)
  if (table === null || ends === null || indices === null || out === null) return null
  kernels.poolRows(out.byteOffset, table, indices, 0, ends, segments, n, x.shape[0], combiner, n)
  return { dtype: 'float32', shape: [segments, ...x.shape.slice(1)], data: out }
}

/** SegmentSum and SegmentMean, whose ids ascend. */
function sorted({ inputs: [x, segments] }: Call, combiner: number, memory: Memory, kernels: Kernels): Tensor | null {
  if (x.dtype !== 'float32' || x.shape.length === 0) return null
  const ids = idsOf(segments, x.shape[0])
  const order = ids === null ? null : ascending(ids)
  return order === null ? null : pooled(x, order, combiner, memory, kernels)
}

function unsorted({ inputs: [x, segments, count] }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  if (x.dtype !== 'float32' || x.shape.length === 0 || count?.dtype !== 'int32' || count.shape.length !== 0) return null
  const ids = idsOf(segments, x.shape[0])
  const order = ids === null || count.data[0] < 0 ? null : sortedBy(ids, count.data[0])
  return order === null ? null : pooled(x, order, COMBINERS.sum, memory, kernels)
}

/** Puts the kernels in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  place('SegmentSum', (call) => sorted(call, COMBINERS.sum, memory, kernels))
  place('SegmentMean', (call) => sorted(call, COMBINERS.mean, memory, kernels))
  place('UnsortedSegmentSum', (call) => unsorted(call, memory, kernels))
}
