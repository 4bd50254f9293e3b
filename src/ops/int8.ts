import type { Op } from '../graph/index.ts'
import { tensor } from '../tensor/index.ts'
import { unpackInt8 } from '../tensor/panelsint8.ts'
import { activationOf, rowsOf } from './fused.ts'

// The dense layer in bytes, for models that were converted so.

/**
 * activation(Σ (q − zero) · w · scales[n] · scale + bias[n]): the layer with W in bytes, packed as tensor/panelsint8.ts
 * lays it out, a factor a row and a scale a column, and x · factors in seven bits, a scale and a zero a row. Where seven
 * bits are too few for a row, what rounding took from it is a second such sum, added before the bias. The sums are exact;
 * each other operation is rounded to float32, in that order. `totals`, the sums of W's columns, save the kernel from
 * making them.
 */
const denseInt8: Op = {
  evaluate({ inputs: [x, panels, factors, scales, totals, bias], attrs }) {
    const [k, n] = [attrs.number('k'), attrs.number('n')]
    const values = rowsOf(x, k)
    const weights = unpackInt8(panels.data as Int8Array, k, n)
    const [byColumn, sums] = [scales.data as Float32Array, totals.data as Int32Array]
    const shift = bias === undefined ? null : (bias.data as Float32Array)
    const activate = activationOf(attrs)
    const alpha = attrs.number('alpha', 0)
    const [rows] = x.shape
    const out = new Float32Array(rows * n)
    for (let r = 0; r < rows; r++) {
      const parts = sevenBits(values.subarray(r * k, r * k + k), factors.data as Float32Array)
      for (let j = 0; j < n; j++) {
        const reals = parts.map(({ q, scale, zero }) => {
          let sum = 0
          for (let i = 0; i < k; i++) sum += q[i] * weights[i * n + j]
          const exact = Math.fround(sum - zero * sums[j])
          return Math.fround(Math.fround(exact * byColumn[j]) * scale)
        })
        const real = reals.reduce((a, b) => Math.fround(a + b))
        out[r * n + j] = activate(shift === null ? real : Math.fround(real + shift[j]), alpha)
      }
    }
    return tensor('float32', [rows, n], out)
  },
}

/** A row of less range than this counts as zeros: the inverse of its scale would not be finite. */
const LEAST_RANGE = Math.fround(1e-30)
/** Where the mean square of q − zero is less, rounding by 1/12 an element is more than 2 % of the row: 1 / (12 · 0.02²). */
const COARSE = 208

/** Integers 0 … 127: a row is scale · (q − zero), or the sum of two such. */
interface Sevens {
  readonly q: Uint8Array
  readonly scale: number
  readonly zero: number
}

/**
 * A row times its factors in seven bits, the least and greatest value (or 0) at the ends, so that 0 is exact; of a row
 * that one large element makes too coarse, its errors too. Of a row with NaN or an infinity, or whose range is one, the
 * scale is NaN, and all that is made of it.
 */
function sevenBits(row: Float32Array, factors: Float32Array): Sevens[] {
  const values = row.map((value, i) => value * factors[i])
  const q = new Uint8Array(row.length)
  let [lo, hi] = [0, 0]
  for (const value of values) {
    lo = value < lo ? value : lo
    hi = value > hi ? value : hi
  }
  const range = Math.fround(hi - lo)
  if (range === Infinity || values.some(Number.isNaN)) return [{ q, scale: Number.NaN, zero: 0 }]
  if (range < LEAST_RANGE) return [{ q, scale: 0, zero: 0 }]
  const inverse = Math.fround(127 / range)
  const zero = halfToEven(Math.fround(-lo * inverse))
  const scaled = values.map((value) => value * inverse)
  let [squares, count] = [0, 0]
  scaled.forEach((value, i) => {
    q[i] = Math.min(halfToEven(value + zero), 127)
    squares += (q[i] - zero) ** 2
    count += value === 0 ? 0 : 1
  })
  const scale = Math.fround(range / 127)
  const first = { q, scale, zero }
  if (squares >= COARSE * count) return [first]
  const errors = Uint8Array.from(scaled, (value, i) =>
    Math.min(halfToEven(Math.fround(Math.fround(value - (q[i] - zero)) * 126) + 63), 127),
  )
  return [first, { q: errors, scale: Math.fround(scale / 126), zero: 63 }]
}

function halfToEven(x: number): number {
  const nearest = Math.round(x)
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest
}

export const ops: Readonly<Record<string, Op>> = {
  'twotower>DenseInt8': denseInt8,
}
