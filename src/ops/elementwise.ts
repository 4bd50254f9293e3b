import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  type ArrayDType,
  type BigArray,
  type DType,
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
import { broadcastIndices, broadcastShape, sameShape } from './broadcast.ts'

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

/** An op of two inputs that answers true or false; strings are compared as bytes. */
export function comparison(holds: (order: number) => boolean, unordered = false): Op {
  const apply = (x: number | bigint, y: number | bigint) => {
    if (Number.isNaN(x) || Number.isNaN(y)) return unordered ? 1 : 0
    return holds(x < y ? -1 : x > y ? 1 : 0) ? 1 : 0
  }
  return {
    evaluate(call) {
      const [x, y] = call.inputs
      if (x.dtype === 'string' && y.dtype === 'string') {
        const shape = broadcastShape(x.shape, y.shape)
        const [a, b] = [broadcastIndices(x.shape, shape), broadcastIndices(y.shape, shape)]
        return filled('bool', shape, (out) => {
          for (let i = 0; i < out.length; i++) out[i] = holds(compareBytes(x.data.at(a[i]), y.data.at(b[i]))) ? 1 : 0
        })
      }
      const [m, n] = sameKind(call)
      return pairwise(m, n, 'bool', apply, apply)
    },
  }
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
  big: ((x: bigint, y: bigint) => bigint | number) | undefined,
): Tensor {
  const shape = broadcastShape(x.shape, y.shape)
  const a = sameShape(x.shape, shape) ? null : broadcastIndices(x.shape, shape)
  const b = sameShape(y.shape, shape) ? null : broadcastIndices(y.shape, shape)
  return filled(dtype, shape, (out) => {
    if (isBig(x.dtype)) {
      if (big === undefined) throw new TypeError(`${x.dtype} is not a type of this op`)
      const [m, n] = [x.data as BigArray, y.data as BigArray]
      for (let i = 0; i < out.length; i++) out[i] = big(m[a === null ? i : a[i]], n[b === null ? i : b[i]])
    } else {
      const [m, n] = [x.data as NumberArray, y.data as NumberArray]
      for (let i = 0; i < out.length; i++) out[i] = apply(m[a === null ? i : a[i]], n[b === null ? i : b[i]])
    }
  })
}

function mapNumbers(from: NumberArray, to: NumberArray, apply: Unary): void {
  for (let i = 0; i < from.length; i++) to[i] = apply(from[i])
}

function mapBig(from: BigArray, to: BigArray, apply: UnaryBig): void {
  for (let i = 0; i < from.length; i++) to[i] = apply(from[i])
}

/** Negative, zero or positive, as the bytes of `a` sort against those of `b`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i]
  return a.length - b.length
}

/** @throws {InvalidArgumentError} where `dtype` is not one of `allowed` */
export function refuseDType(dtype: DType, allowed: string): never {
  throw new InvalidArgumentError(`dtype ${dtype} is not one of ${allowed}`)
}
