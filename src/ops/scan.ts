import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { type BigArray, isBig, isFloat, type NumberArray, sizeOf } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { halfRounding } from './halfsums.ts'
import { integer } from './integers.ts'

// Running totals along one axis, after core/kernels/scan_ops.cc. `exclusive` leaves each element out of its own total,
// `reverse` starts from the end.

const exactly = (x: number): number => x

interface Scan {
  readonly initial: number
  /** `round` is that of a half float, whose every step is rounded. */
  numbers(total: number, x: number, round: (x: number) => number): number
  bigs?(total: bigint, x: bigint): bigint
  /** For integers of up to 32 bits, where it is not `numbers`. */
  integers?(total: number, x: number, round: (x: number) => number): number
}

const scan = ({ initial, numbers, bigs, integers = numbers }: Scan): Op => ({
  evaluate(call) {
    const x = numeric(call, 0)
    const rank = x.shape.length
    const given = integer(call, 1, 'axis')
    if (!(given >= -rank && given < rank)) {
      throw new InvalidArgumentError(`ScanOp: Expected scan axis in the range [${-rank}, ${rank}), but got ${given}`)
    }
    const axis = given < 0 ? given + rank : given
    const length = x.shape[axis]
    const inner = sizeOf(x.shape.slice(axis + 1))
    const [exclusive, reverse] = [call.attrs.boolean('exclusive', false), call.attrs.boolean('reverse', false)]
    const step = reverse ? -inner : inner
    /** Calls `each` with the elements' positions, line by line; `fresh` at a line's first. */
    const walk = (each: (at: number, fresh: boolean) => void) => {
      for (let line = 0; line < sizeOf(x.shape) / length; line++) {
        const start = Math.floor(line / inner) * length * inner + (line % inner) + (reverse ? (length - 1) * inner : 0)
        for (let i = 0; i < length; i++) each(start + i * step, i === 0)
      }
    }
    return filled(x.dtype, x.shape, (out) => {
      if (isBig(x.dtype)) {
        if (bigs === undefined) throw new TypeError(`${x.dtype} is not a type of this op`)
        const [data, to] = [x.data as BigArray, out as BigArray]
        let total = 0n
        walk((at, fresh) => {
          const before = fresh ? BigInt(initial) : total
          total = bigs(before, data[at])
          to[at] = exclusive ? before : total
        })
      } else {
        const [data, to] = [x.data as NumberArray, out as NumberArray]
        const next = isFloat(x.dtype) ? numbers : integers
        const round = halfRounding(x.dtype) ?? exactly
        let total = 0
        walk((at, fresh) => {
          const before = fresh ? initial : total
          total = next(before, data[at], round)
          to[at] = exclusive ? before : total
        })
      }
    })
  },
})

/**
 * log(exp(total) + exp(x)) without overflow, as scan_ops.h's LogSumExp: of a pair that has no order, the total is both the
 * least and the most. So a NaN after a total of −∞ is passed over, and two infinities are none.
 */
function logAddExp(total: number, x: number, round: (x: number) => number): number {
  const [least, most] = [x < total ? x : total, total < x ? x : total]
  return most === -Infinity ? most : round(most + round(Math.log1p(round(Math.exp(round(least - most))))))
}

export const ops: Readonly<Record<string, Op>> = {
  Cumsum: scan({ initial: 0, numbers: (total, x, round) => round(total + x), bigs: (total, x) => total + x }),
  Cumprod: scan({
    initial: 1,
    numbers: (total, x, round) => round(total * x),
    integers: Math.imul,
    bigs: (total, x) => BigInt.asIntN(64, total * x),
  }),
  CumulativeLogsumexp: scan({ initial: -Infinity, numbers: logAddExp }),
}
