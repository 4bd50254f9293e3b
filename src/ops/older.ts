import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { type BigArray, isBig, type NumberArray, sizeOf, tensor } from '../tensor/index.ts'
import { ops as arrange } from './arrange.ts'
import { filled, numeric } from './elementwise.ts'
import { integerVector } from './integers.ts'
import { ops as math } from './math.ts'
import { ops as scatter } from './scatter.ts'

// Ops of old exports that newer ones have replaced: each is what took its place, asked as that is.

/** Squares of `block_size`, an attribute where the newer op has an input of a size for each dimension. */
const squares = (newer: Op): Op => ({
  evaluate(call) {
    const [x, margins] = call.inputs
    if (x.shape.length !== 4) throw new InvalidArgumentError(`input rank should be 4 instead of ${x.shape.length}`)
    const size = call.attrs.number('block_size')
    return newer.evaluate({ ...call, inputs: [x, tensor('int32', [2], Int32Array.of(size, size)), margins] })
  },
})

/** Rows `i` of x as they are, more or less v's, after core/kernels/inplace_ops.cc: an index counts around. */
const rows = (change: <N extends number | bigint>(x: N, v: N) => N): Op => ({
  evaluate(call) {
    const [x, v] = [numeric(call, 0), numeric(call, 2)]
    const places = integerVector(call, 1, 'i')
    if (x.shape.length < 1 || v.shape[0] !== places.length || String(x.shape.slice(1)) !== String(v.shape.slice(1)))
      throw new InvalidArgumentError(`i and x must have matching first dimensions: [${x.shape}] and [${v.shape}]`)
    const width = sizeOf(x.shape.slice(1))
    const put = <N extends number | bigint>(to: { [i: number]: N }, from: ArrayLike<N>) =>
      places.forEach((place, i) => {
        const row = ((place % x.shape[0]) + x.shape[0]) % x.shape[0]
        for (let k = 0; k < width; k++) to[row * width + k] = change(to[row * width + k], from[i * width + k])
      })
    return filled(x.dtype, x.shape, (out) => {
      if (isBig(x.dtype)) {
        ;(out as BigArray).set(x.data as BigArray)
        put(out as BigArray, v.data as BigArray)
      } else {
        ;(out as NumberArray).set(x.data as NumberArray)
        put(out as NumberArray, v.data as NumberArray)
      }
    })
  },
})

const sum = <N extends number | bigint>(x: N, v: N): N =>
  (typeof x === 'bigint' ? x + BigInt(v) : Number(x) + Number(v)) as N
const difference = <N extends number | bigint>(x: N, v: N): N =>
  (typeof x === 'bigint' ? x - BigInt(v) : Number(x) - Number(v)) as N

export const ops: Readonly<Record<string, Op>> = {
  AccumulateNV2: math.AddN,
  BatchToSpace: squares(arrange.BatchToSpaceND),
  InplaceAdd: rows(sum),
  InplaceSub: rows(difference),
  InplaceUpdate: rows((_, v) => v),
  ScatterNdNonAliasingAdd: scatter.TensorScatterAdd,
  SpaceToBatch: squares(arrange.SpaceToBatchND),
}
