import type { Call } from '../graph/index.ts'
import { broadcastIndices, broadcastShape } from '../ops/broadcast.ts'
import { sizeOf, type Tensor, type TensorOf } from '../tensor/index.ts'
import type { Place } from './place.ts'

// Masks put together: of padding and of what comes later, as a causal attention does it.

type Flags = TensorOf<'bool'>

/** How an operand is read: where each row of the answer begins in it, and 0 where its one flag is for the whole row. */
const rowsOf = ({ shape }: Flags, of: readonly number[]): { readonly starts: Int32Array; readonly step: 0 | 1 } => {
  const own = shape[shape.length - 1] ?? 1
  const starts = broadcastIndices(shape.slice(0, -1), of.slice(0, -1))
  for (let i = 0; i < starts.length; i++) starts[i] *= own
  return { starts, step: own === 1 ? 0 : 1 }
}

/**
 * True of two flags that are true, and of one where `one` says so: row by row, without a list of where each flag stands, in a
 * loop that sees bytes alone. Null for what is the reference's.
 */
function joined({ inputs: [x, y] }: Call, one: 0 | 1, smallest: number): Tensor | null {
  if (x.dtype !== 'bool' || y.dtype !== 'bool') return null
  if (Math.max(x.data.length, y.data.length) < smallest) return null
  const shape = broadcastShape(x.shape, y.shape)
  const [a, b] = [rowsOf(x, shape), rowsOf(y, shape)]
  const data = new Uint8Array(sizeOf(shape))
  const n = shape[shape.length - 1] ?? 1
  for (let row = 0, to = 0; row < a.starts.length; row++) {
    for (let c = 0, p = a.starts[row], q = b.starts[row]; c < n; c++, to++, p += a.step, q += b.step) {
      const other = y.data[q] !== 0
      data[to] = x.data[p] !== 0 ? (other ? 1 : one) : other ? one : 0
    }
  }
  return { dtype: 'bool', shape, data }
}

/** Puts the loop in place of the ops. */
export function bind(place: Place, smallest: number): void {
  place('LogicalAnd', (call) => joined(call, 0, smallest))
  place('LogicalOr', (call) => joined(call, 1, smallest))
}
