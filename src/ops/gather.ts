import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { isNumeric, type Shape, sizeOf, type Tensor, type TypedArray, zeros } from '../tensor/index.ts'
import { axisOf } from './axis.ts'
import { integer, placesOf } from './integers.ts'
import { Assembly } from './layout.ts'

// Rows by their indices, after core/kernels/gather_op.cc. On a CPU an index out of range is refused.

/**
 * The slices `indices` of `params` along `axis`; the first `batch` dimensions of both go together. Where nothing is
 * gathered, TensorFlow looks at no index.
 */
export function gather(params: Tensor, indices: Tensor, axis: number, batch: number): Tensor {
  const wanted = placesOf(indices, 'indices')
  const [shape, limit] = [params.shape, params.shape[axis]]
  for (let i = 0; i < batch; i++) {
    if (shape[i] === indices.shape[i]) continue
    throw new InvalidArgumentError(
      `params.shape[${i}]: ${shape[i]} should be equal to indices.shape[${i}]: ${indices.shape[i]}`,
    )
  }
  const result = [...shape.slice(0, axis), ...indices.shape.slice(batch), ...shape.slice(axis + 1)]
  if (sizeOf(result) === 0) return new Assembly(params.dtype, result).finish()
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] >= 0 && wanted[i] < limit) continue
    throw outOfRange(indices.shape, i, wanted[i], limit)
  }
  if (axis === 0 && isNumeric(params)) {
    const data = zeros(params.dtype, sizeOf(result)) as TypedArray
    copyRows(params.data, wanted, sizeOf(shape.slice(1)), data)
    return { dtype: params.dtype, shape: result, data } as Tensor
  }
  if (axis === 0 && params.dtype === 'string' && sizeOf(shape.slice(1)) === 1)
    return { dtype: 'string', shape: result, data: params.data.take(wanted) }
  const gathered = new Assembly(params.dtype, result)
  const batches = sizeOf(shape.slice(0, batch))
  const outer = sizeOf(shape.slice(batch, axis))
  const inner = sizeOf(shape.slice(axis + 1))
  const count = wanted.length / batches
  for (let b = 0; b < batches; b++) {
    for (let o = 0; o < outer; o++) {
      const start = (b * outer + o) * limit
      for (let i = 0; i < count; i++) gathered.append(params, (start + wanted[b * count + i]) * inner, inner)
    }
  }
  return gathered.finish()
}

/** Rows wide enough for a bulk copy to be faster than a loop, its view included. */
const WIDE = 48

/** An embedding lookup: the rows `rows` of `from`, `width` elements each, one after the other. */
export function copyRows(from: TypedArray, rows: ArrayLike<number>, width: number, to: TypedArray): void {
  if (width >= WIDE) {
    for (let i = 0; i < rows.length; i++) {
      ;(to as Uint8Array).set(from.subarray(rows[i] * width, (rows[i] + 1) * width) as Uint8Array, i * width)
    }
  } else if (from instanceof Float32Array) copyFloats(from, rows, width, to as Float32Array)
  else copyElements(from as Int32Array, rows, width, to as Int32Array)
}

/** A function of its own: one that sees more than four kinds of arrays takes V8 ten times as long, once a process ran several models. */
function copyFloats(from: Float32Array, rows: ArrayLike<number>, width: number, to: Float32Array): void {
  for (let i = 0, at = 0; i < rows.length; i++) {
    for (let j = rows[i] * width, end = j + width; j < end; j++, at++) to[at] = from[j]
  }
}

function copyElements(from: Int32Array, rows: ArrayLike<number>, width: number, to: Int32Array): void {
  for (let i = 0, at = 0; i < rows.length; i++) {
    for (let j = rows[i] * width, end = j + width; j < end; j++, at++) to[at] = from[j]
  }
}

export const outOfRange = (shape: Shape, i: number, index: number, limit: number): InvalidArgumentError =>
  new InvalidArgumentError(`indices${position(shape, i)} = ${index} is not in [0, ${limit})`)

/** Where element `i` of a tensor lies, as TensorFlow prints it: `[1,0]`, and nothing for a scalar. */
export function position(shape: Shape, i: number): string {
  const at: number[] = []
  let rest = i
  for (const dim of [...shape].reverse()) {
    at.unshift(rest % dim)
    rest = Math.floor(rest / dim)
  }
  return at.length === 0 ? '' : `[${at}]`
}

const gatherV2: Op = {
  evaluate(call) {
    const [params, indices] = call.inputs
    const rank = params.shape.length
    if (rank === 0) throw new InvalidArgumentError('params must be at least 1 dimensional')
    const axis = axisOf(integer(call, 2, 'axis'), rank)
    const given = call.attrs.number('batch_dims', 0)
    const batch = given < 0 ? given + indices.shape.length : given
    if (!(batch >= 0 && batch <= indices.shape.length && batch <= axis)) {
      throw new InvalidArgumentError(
        `batch_dims (${given}) must be within the rank of indices (${indices.shape.length}) and at most axis (${axis})`,
      )
    }
    return gather(params, indices, axis, batch)
  },
}

const gatherRows: Op = {
  evaluate({ inputs: [params, indices] }) {
    if (params.shape.length === 0) throw new InvalidArgumentError('params must be at least 1 dimensional')
    return gather(params, indices, 0, 0)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Gather: gatherRows,
  GatherV2: gatherV2,
}
