// Sums of squares: few models hold them, and they stay out of what every page downloads.
import type { Op } from '../graph/index.ts'
import { isFloat, type NumberArray } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { halfRounding, halfSum, reduceRun } from './halfsums.ts'
import { type Reducer, stepwise } from './reduce.ts'

const euclideanNorm: Reducer = {
  numbers: (dtype) => ({
    initial: 0,
    next: isFloat(dtype) ? (a, b) => a + b * b : (a, b) => a + Math.imul(b, b),
    last: Math.sqrt,
  }),
  big: () => ({
    initial: 0n,
    next: (a, b) => a + b * b,
    last: (total) => BigInt(Math.trunc(Math.sqrt(Number(total)))),
  }),
}

/** Half the sum of all squares (kernels/l2loss_op.h), of half floats in Eigen's steps. */
const l2Loss: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const data = x.data as NumberArray
    const round = halfRounding(x.dtype)
    return filled(x.dtype, [], (out) => {
      let total = 0
      if (round === null) for (const value of data) total += value * value
      else {
        const squares = Float32Array.from(data, (value) => round(round(value * value) / 2))
        total = 2 * reduceRun(squares, 0, squares.length, halfSum(x.dtype, round))
      }
      out[0] = total / 2
    })
  },
}

export const ops: Readonly<Record<string, Op>> = {
  EuclideanNorm: stepwise('EuclideanNorm', euclideanNorm),
  L2Loss: l2Loss,
}
