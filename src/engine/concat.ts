import type { Call } from '../graph/index.ts'
import { sizeOf, type Tensor, type TensorOf } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'

/**
 * ConcatV2 of float32 along the last axis: features side by side, where the first layer reads them. Null for what is the
 * reference's, shapes that do not fit too, which it refuses in words.
 */
export function concatenated({ inputs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const axis = inputs[inputs.length - 1]
  const parts = inputs.slice(0, -1) as TensorOf<'float32'>[]
  const [first] = parts
  const last = first.shape.length - 1
  if (axis.dtype !== 'int32' || axis.data.length !== 1 || (axis.data[0] !== last && axis.data[0] !== -1)) return null
  const leading = first.shape.slice(0, -1)
  const rows = sizeOf(leading)
  if (last < 0 || rows === 0 || !parts.every((part) => part.dtype === 'float32' && isBelow(leading, part))) return null
  const width = parts.reduce((sum, { shape }) => sum + shape[last], 0)
  const out = memory.room(rows * width)
  if (out === null) return null
  let to = out.byteOffset
  for (const { data, shape } of parts) {
    const [n, from] = [shape[last], memory.address(data)]
    if (from === null) return null
    kernels.copyRows(to, from, rows, n, width, n)
    to += 4 * n
  }
  return { dtype: 'float32', shape: [...leading, width], data: out }
}

const isBelow = (leading: readonly number[], { shape }: Tensor): boolean =>
  shape.length === leading.length + 1 && leading.every((dim, i) => dim === shape[i])
