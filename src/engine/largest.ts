import type { Call } from '../graph/index.ts'
import { isDenormal, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'

/** How many are asked for, where the op's kernel takes that; what TensorFlow refuses is the reference's to refuse. */
function wanted(k: Tensor | undefined, width: number): number | null {
  if (k?.dtype !== 'int32' || k.shape.length !== 0) return null
  return k.data[0] > 0 && k.data[0] <= width ? k.data[0] : null
}

/**
 * The largest of each row, of equal ones the first. A row with NaN is the reference's, whose order is what TensorFlow's
 * sorting leaves of it, and so is one whose denormals are among them: TensorFlow compares them as zeros.
 */
function largest(
  { inputs: [x, count], attrs }: Call,
  memory: Memory,
  kernels: Kernels,
  smallest: number,
): readonly Tensor[] | null {
  if (x.dtype !== 'float32' || x.shape.length === 0 || x.data.length < smallest) return null
  const width = x.shape[x.shape.length - 1]
  const k = wanted(count, width)
  if (k === null || attrs.dtype('index_type', 'int32') !== 'int32') return null
  const shape = [...x.shape.slice(0, -1), k]
  const rows = sizeOf(x.shape.slice(0, -1))
  if (rows === 0) return null
  const [at, most, values, indices] = [
    memory.address(x.data),
    memory.room(rows),
    memory.room(rows * k),
    memory.room(rows * k),
  ]
  if (at === null || most === null || values === null || indices === null) return null
  // The largest of a row with NaN is NaN.
  kernels.rowMax(most.byteOffset, at, rows, width)
  if (most.some(Number.isNaN)) return null
  for (let row = 0, to = 0; row < rows; row++, to += 4 * k)
    kernels.topk(values.byteOffset + to, indices.byteOffset + to, at + 4 * row * width, width, k)
  if (values.some((value) => isDenormal(value, x.dtype))) return null
  const places = zeros('int32', rows * k)
  places.set(new Int32Array(indices.buffer, indices.byteOffset, rows * k))
  return [
    { dtype: 'float32', shape, data: values },
    { dtype: 'int32', shape, data: places },
  ]
}

/** Puts the kernel in place of the op. */
export function bind(place: Place, memory: Memory, kernels: Kernels, smallest: number): void {
  place('TopKV2', (call) => largest(call, memory, kernels, smallest))
}
