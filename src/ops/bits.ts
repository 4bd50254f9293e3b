import type { Op } from '../graph/index.ts'
import { BYTES } from '../tensor/index.ts'
import { binary, filled, numeric, unary } from './elementwise.ts'

// The bits of integers after core/kernels/cwise_op_bitwise*.cc.

/** Shifts by less than nothing or by more than the type holds stop at its bounds, as cwise_ops.h clamps them. */
const shift = (int: (x: number, by: number) => number, big: (x: bigint, by: bigint) => bigint): Op => ({
  evaluate(call) {
    const x = numeric(call, 0)
    const bits = BYTES[x.dtype] * 8
    const most = BigInt(bits - 1)
    return binary(
      (value, by) => int(value, Math.min(Math.max(by, 0), bits - 1)),
      (value, by) => big(value, by < 0n ? 0n : by > most ? most : by),
    ).evaluate(call)
  },
})

/** How many bits of each number are set, a negative one's in two's complement. */
const populationCount: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const bits = BYTES[x.dtype] * 8
    return filled('uint8', x.shape, (out) => {
      for (let i = 0; i < x.data.length; i++) {
        let count = 0
        for (let rest = BigInt.asUintN(bits, BigInt(x.data[i])); rest > 0n; rest &= rest - 1n) count++
        out[i] = count
      }
    })
  },
}

export const ops: Readonly<Record<string, Op>> = {
  BitwiseAnd: binary(
    (x, y) => x & y,
    (x, y) => x & y,
  ),
  BitwiseOr: binary(
    (x, y) => x | y,
    (x, y) => x | y,
  ),
  BitwiseXor: binary(
    (x, y) => x ^ y,
    (x, y) => x ^ y,
  ),
  LeftShift: shift(
    (x, by) => x << by,
    (x, by) => x << by,
  ),
  RightShift: shift(
    // Narrower unsigned numbers are positive in 32 bits; a uint32 need not be, and is signed again where `>>` takes it.
    (x, by) => (x > 0x7fffffff ? x >>> by : x >> by),
    (x, by) => x >> by,
  ),
  Invert: unary(
    (x) => ~x,
    (x) => ~x,
  ),
  PopulationCount: populationCount,
}
