import type { Call, Op } from '../graph/index.ts'
import {
  type ArrayDType,
  type BigArray,
  halvesOf,
  isBig,
  isNumeric,
  type NumberArray,
  rounded,
  Strings,
  scalar,
  sizeOf,
  type Tensor,
  type TensorOf,
  type TypedArray,
  zeros,
} from '../tensor/index.ts'
import { at, broadcastShape, broadcasts, EACH, ONE, places } from './broadcast.ts'

/** A tensor whose elements lie in a typed array. */
export type NumericTensor = { [D in ArrayDType]: TensorOf<D> }[ArrayDType]

/** Input `i` of `call`, which must be of a number or bool type. */
export function numeric(call: Call, i: number): NumericTensor {
  const input = call.inputs[i]
  if (!isNumeric(input)) throw new TypeError(`input ${i} must be of a number type, got ${input.dtype}`)
  return input
}

/** A tensor of `dtype` over a fresh array that `fill` writes; half floats are rounded afterwards. */
export function filled(dtype: ArrayDType, shape: readonly number[], fill: (data: TypedArray) => void): Tensor {
  const data = zeros(dtype, sizeOf(shape)) as TypedArray
  fill(data)
  return { dtype, shape, data: rounded(dtype, data) } as Tensor
}

type Unary = (x: number) => number
type UnaryBig = (x: bigint) => bigint
type Binary = (x: number, y: number) => number
type BinaryBig = (x: bigint, y: bigint) => bigint

/** An op of one input; `big` for int64 and uint64, where the op has them. Stores wrap as two's complement does. */
export function unary(apply: Unary, big?: UnaryBig): Op {
  return {
    evaluate(call) {
      const x = numeric(call, 0)
      if (isBig(x.dtype)) {
        if (big === undefined) throw new TypeError(`${x.dtype} is not a type of this op`)
        return filled(x.dtype, x.shape, (out) => mapBig(x.data as BigArray, out as BigArray, big))
      }
      return filled(x.dtype, x.shape, (out) => mapNumbers(x.data as NumberArray, out as NumberArray, apply))
    },
  }
}

/** A predicate of one float input. */
export function test(holds: (x: number) => boolean): Op {
  return {
    evaluate(call) {
      const x = numeric(call, 0)
      return filled('bool', x.shape, (out) => {
        for (let i = 0; i < out.length; i++) out[i] = holds(Number(x.data[i])) ? 1 : 0
      })
    },
  }
}

/** An op of two inputs that broadcast against each other. */
export function binary(apply: Binary, big?: BinaryBig): Op {
  return {
    evaluate(call) {
      const [x, y] = sameKind(call)
      return pairwise(x, y, x.dtype, apply, big)
    },
  }
}

/**
 * An op of two inputs that answers true or false: by `holds` of numbers (a NaN is in no order), by `ordered` of whether the
 * first comes before (-1), with (0) or after (1) the second. Strings are compared as bytes.
 */
export function comparison(holds: (x: number, y: number) => boolean, ordered: (order: number) => boolean): Op {
  const apply = (x: number, y: number) => (holds(x, y) ? 1 : 0)
  return {
    evaluate(call) {
      const [x, y] = call.inputs
      if (x.dtype === 'string' && y.dtype === 'string') return compareStrings(x, y, ordered)
      const [m, n] = sameKind(call)
      return isBig(m.dtype) ? compareBig(m, n, ordered) : pairwise(m, n, 'bool', apply, undefined)
    },
  }
}

/** A comparison that knows an answer too where shapes do not broadcast and that is no error: nothing there is equal. */
export function equality(holds: (x: number, y: number) => boolean, ordered: (order: number) => boolean): Op {
  const compare = comparison(holds, ordered)
  return {
    evaluate(call) {
      const [x, y] = call.inputs
      const refuses = call.attrs.boolean('incompatible_shape_error', true)
      return refuses || broadcasts(x.shape, y.shape) ? compare.evaluate(call) : scalar('bool', ordered(1) ? 1 : 0)
    },
  }
}

function compareStrings(x: TensorOf<'string'>, y: TensorOf<'string'>, holds: (order: number) => boolean): Tensor {
  const shape = broadcastShape(x.shape, y.shape)
  const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
  const before = holds(-1) ? 1 : 0
  const same = holds(0) ? 1 : 0
  const after = holds(1) ? 1 : 0
  return filled('bool', shape, (out) => {
    for (let i = 0; i < out.length; i++) {
      const order = Strings.compare(x.data, at(a, i), y.data, at(b, i))
      out[i] = order < 0 ? before : order === 0 ? same : after
    }
  })
}

/** Ids are compared with a mask or a padding all day: by their halves, without a BigInt. */
function compareBig(x: NumericTensor, y: NumericTensor, holds: (order: number) => boolean): Tensor {
  const shape = broadcastShape(x.shape, y.shape)
  const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
  const [m, n] = [halvesOf(x.data as BigArray), halvesOf(y.data as BigArray)]
  // Without its sign an upper half is ordered as its unsigned value is.
  const flip = x.dtype === 'uint64' ? -(2 ** 31) : 0
  const before = holds(-1) ? 1 : 0
  const same = holds(0) ? 1 : 0
  const after = holds(1) ? 1 : 0
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

function sameKind(call: Call): [NumericTensor, NumericTensor] {
  const [x, y] = [numeric(call, 0), numeric(call, 1)]
  if (x.dtype !== y.dtype) throw new TypeError(`both inputs must be of one dtype, got ${x.dtype} and ${y.dtype}`)
  return [x, y]
}

function pairwise(
  x: NumericTensor,
  y: NumericTensor,
  dtype: ArrayDType,
  apply: Binary,
  big: BinaryBig | undefined,
): Tensor {
  const shape = broadcastShape(x.shape, y.shape)
  const [a, b] = [places(x.shape, shape), places(y.shape, shape)]
  return filled(dtype, shape, (out) => {
    if (isBig(x.dtype)) {
      if (big === undefined) throw new TypeError(`${x.dtype} is not a type of this op`)
      const [m, n] = [x.data as BigArray, y.data as BigArray]
      for (let i = 0; i < out.length; i++) out[i] = big(m[at(a, i)], n[at(b, i)])
      return
    }
    const [m, n] = [x.data as NumberArray, y.data as NumberArray]
    if (a.list === null && b.list === null) {
      for (let i = 0; i < out.length; i++) out[i] = apply(m[i * a.step], n[i * b.step])
    } else for (let i = 0; i < out.length; i++) out[i] = apply(m[at(a, i)], n[at(b, i)])
  })
}

function mapNumbers(from: NumberArray, to: NumberArray, apply: Unary): void {
  for (let i = 0; i < from.length; i++) to[i] = apply(from[i])
}

function mapBig(from: BigArray, to: BigArray, apply: UnaryBig): void {
  for (let i = 0; i < from.length; i++) to[i] = apply(from[i])
}
