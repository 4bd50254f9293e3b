import type { Call, Op } from '../graph/index.ts'
import {
  type ArrayDType,
  type BigArray,
  isBig,
  isNumeric,
  type NumberArray,
  rounded,
  sizeOf,
  type Tensor,
  type TensorOf,
  type TypedArray,
  zeros,
} from '../tensor/index.ts'
import { at, broadcastShape, places } from './broadcast.ts'

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

/** Both inputs, of one number type. */
export function sameKind(call: Call): [NumericTensor, NumericTensor] {
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
