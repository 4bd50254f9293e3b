import type { Op } from '../graph/index.ts'
import {
  type BigArray,
  halvesOf,
  isBig,
  type NumberArray,
  Strings,
  scalar,
  type Tensor,
  type TensorOf,
  type TypedArray,
} from '../tensor/index.ts'
import { at, broadcastShape, broadcasts, EACH, ONE, places } from './broadcast.ts'
import { filled, type NumericTensor, sameKind } from './elementwise.ts'

// What is true of two elements, after core/kernels/cwise_op_{equal_to,less,logical_and}*.cc.

/** What a comparison says of two elements by how they are ordered; NaN has no order. */
interface Verdicts {
  readonly before: 0 | 1
  readonly same: 0 | 1
  readonly after: 0 | 1
  readonly none: 0 | 1
}

/**
 * An op of two inputs that answers true or false, by `holds` of whether the first comes before (-1), with (0) or after (1) the
 * second, or has no order (NaN). Strings are compared as bytes.
 */
export function comparison(holds: (order: number) => boolean): Op {
  const [before, same, after, none] = [-1, 0, 1, Number.NaN].map((order) => (holds(order) ? 1 : 0))
  const verdicts: Verdicts = { before, same, after, none }
  return {
    evaluate(call) {
      const [x, y] = call.inputs
      if (x.dtype === 'string' && y.dtype === 'string') return compareStrings(x, y, verdicts)
      const [m, n] = sameKind(call)
      return isBig(m.dtype) ? compareBig(m, n, verdicts) : compareNumbers(m, n, verdicts)
    },
  }
}

/** A comparison that knows an answer too where shapes do not broadcast and that is no error: nothing there is equal. */
export function equality(holds: (order: number) => boolean): Op {
  const compare = comparison(holds)
  return {
    evaluate(call) {
      const [x, y] = call.inputs
      const refuses = call.attrs.boolean('incompatible_shape_error', true)
      return refuses || broadcasts(x.shape, y.shape) ? compare.evaluate(call) : scalar('bool', holds(1) ? 1 : 0)
    },
  }
}

/** True of two flags that are true, and of one where `one` says so. */
export function logical(one: 0 | 1): Op {
  return {
    evaluate(call) {
      const [x, y] = sameKind(call)
      const shape = broadcastShape(x.shape, y.shape)
      const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
      const [m, n] = [x.data as NumberArray, y.data as NumberArray]
      return filled('bool', shape, (out) => {
        for (let i = 0; i < out.length; i++) {
          const [p, q] = [m[at(a, i)] !== 0, n[at(b, i)] !== 0]
          out[i] = p && q ? 1 : p || q ? one : 0
        }
      })
    },
  }
}

function compareStrings(x: TensorOf<'string'>, y: TensorOf<'string'>, { before, same, after }: Verdicts): Tensor {
  const shape = broadcastShape(x.shape, y.shape)
  const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
  return filled('bool', shape, (out) => {
    for (let i = 0; i < out.length; i++) {
      const order = Strings.compare(x.data, at(a, i), y.data, at(b, i))
      out[i] = order < 0 ? before : order === 0 ? same : after
    }
  })
}

function compareNumbers(x: NumericTensor, y: NumericTensor, { before, same, after, none }: Verdicts): Tensor {
  const shape = broadcastShape(x.shape, y.shape)
  const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
  const [m, n] = [x.data as NumberArray, y.data as NumberArray]
  return filled('bool', shape, (out) => {
    for (let i = 0; i < out.length; i++) {
      const [p, q] = [m[at(a, i)], n[at(b, i)]]
      out[i] = p < q ? before : p === q ? same : p > q ? after : none
    }
  })
}

/** By their halves, without a BigInt. */
function compareBig(x: NumericTensor, y: NumericTensor, { before, same, after }: Verdicts): Tensor {
  const shape = broadcastShape(x.shape, y.shape)
  const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
  const [m, n] = [halvesOf(x.data as BigArray), halvesOf(y.data as BigArray)]
  // Without its sign an upper half is ordered as its unsigned value is.
  const flip = x.dtype === 'uint64' ? -(2 ** 31) : 0
  return filled('bool', shape, (out) => {
    if (before === after && a === EACH && b === ONE) return equalToOne(m, n, same, before, out)
    for (let i = 0; i < out.length; i++) {
      const j = 2 * at(a, i)
      const k = 2 * at(b, i)
      const [low, high] = [m[j], m[j + 1]]
      const [least, other] = [n[k], n[k + 1]]
      if (low === least && high === other) out[i] = same
      else if (high !== other) out[i] = (high ^ flip) < (other ^ flip) ? before : after
      else out[i] = low >>> 0 < least >>> 0 ? before : after
    }
  })
}

/** Padding and masks: every id against one. */
function equalToOne(ids: Int32Array, [low, high]: Int32Array, same: 0 | 1, other: 0 | 1, out: TypedArray): void {
  for (let i = 0, j = 0; i < out.length; i++, j += 2) out[i] = ids[j] === low && ids[j + 1] === high ? same : other
}
