import type { Call } from '../graph/index.ts'
import { halvesOf, type Tensor, type TensorOf } from '../tensor/index.ts'
import { COMBINERS, type Kernels, type Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'

/** Floats up to which a table is copied into linear memory, 4 MB; a larger one is read where it lies, by the reference. */
export const SMALL_TABLE = 1 << 20

/**
 * `twotower>PoolRows` of a table that stays in linear memory: out[batch × width] = Σ or mean over ids[batch × length].
 * Null for what is the reference's, wrong ids too, which it refuses in words.
 */
export function pooledRows({ inputs, attrs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const [table, ids, mask] = inputs
  const mean = attrs.string('combiner') === 'mean'
  if (table.dtype !== 'float32' || table.shape.length !== 2 || ids.shape.length !== 2) return null
  if (ids.dtype !== 'int64' && ids.dtype !== 'int32') return null
  const [batch, length] = ids.shape
  const [rows, width] = table.shape
  const masked = mask === undefined ? null : weightsOf(mask, ids, mean)
  const at = memory.keptAt(table.data)
  if (at === null || batch * length * width === 0 || (mask !== undefined && masked === null)) return null
  const indices = indicesAt(ids, memory)
  const weights = masked === null ? 0 : memory.address(masked)
  const splits = memory.address(Int32Array.from({ length: batch + 1 }, (_, i) => i * length))
  const out = memory.room(batch * width)
  if (indices === null || weights === null || splits === null || out === null) return null
  const combiner = mean ? COMBINERS.mean : COMBINERS.sum
  const wrong = kernels.poolRows(out.byteOffset, at, indices, weights, splits, batch, width, rows, combiner, width)
  return wrong >= 0 ? null : { dtype: 'float32', shape: [batch, width], data: out }
}

/** The kernel's mean divides by the sum of the weights, this op's by their number: with a mask it is the reference's. */
function weightsOf(mask: Tensor, { shape }: Tensor, mean: boolean): Float32Array | null {
  const fits = !mean && mask.dtype === 'float32' && mask.shape.length === 2
  return fits && mask.shape[0] === shape[0] && mask.shape[1] === shape[1] ? mask.data : null
}

/** Where the ids lie as int32; null where one is not in its range. */
export function indicesAt({ dtype, data }: TensorOf<'int32'> | TensorOf<'int64'>, memory: Memory): Pointer | null {
  if (dtype === 'int32') return memory.address(data)
  const room = memory.room(data.length)
  if (room === null) return null
  const [halves, indices] = [halvesOf(data), new Int32Array(room.buffer, room.byteOffset, room.length)]
  for (let i = 0, half = 0; i < indices.length; i++, half += 2) {
    if (halves[half + 1] !== 0) return null
    indices[i] = halves[half]
  }
  return room.byteOffset
}
