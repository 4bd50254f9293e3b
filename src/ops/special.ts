import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { type BigArray, isBig, isFloat, type NumberArray, sameShape } from '../tensor/index.ts'
import { binary, filled, numeric, unary } from './elementwise.ts'

// Trigonometry and special functions after core/kernels/cwise_ops*.cc.

export const erfc = (x: number): number => {
  // W. J. Cody's rational approximations would be shorter in error; this continued series is exact to double rounding.
  const z = Math.abs(x)
  const tail = z < 2.5 ? 1 - erfSeries(z) : erfcFraction(z)
  return x >= 0 ? tail : 2 - tail
}
/** erf by its Maclaurin series, for |x| < 2.5. */
const erfSeries = (x: number): number => {
  let term = x
  let sum = x
  // No further than a term counts: around 0, where most are, a third of the way.
  for (let n = 1; n < 60 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}
/** erfc by its continued fraction, for x ≥ 2.5. */
const erfcFraction = (x: number): number => {
  if (x > 27) return 0
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}
/** The error function in double precision. */
export const erf = (x: number): number =>
  Number.isNaN(x) || x === 0 ? x : Math.abs(x) < 2.5 ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(Math.abs(x)))

/** ln |Γ(x)| by Lanczos' approximation (g = 7, n = 9). */
export const lgamma = (x: number): number => {
  if (x === -Infinity || (x <= 0 && Number.isInteger(x))) return Infinity
  // Exactly: of what is rounded the sign would be left.
  if (x === 1 || x === 2) return 0
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgamma(1 - x)
  if (x === Infinity) return x
  let sum = LANCZOS[0]
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x - 1 + i)
  const t = x - 1 + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** The cross product of vectors of three, the last dimension. */
const cross: Op = {
  evaluate(call) {
    const [x, y] = [numeric(call, 0), numeric(call, 1)]
    if (!sameShape(x.shape, y.shape) || x.shape[x.shape.length - 1] !== 3)
      throw new InvalidArgumentError(`Both inputs must be of one shape that ends in 3: [${x.shape}] vs. [${y.shape}]`)
    const products = <N extends number | bigint>(
      a: ArrayLike<N>,
      b: ArrayLike<N>,
      less: (m: N, n: N, o: N, p: N) => N,
    ) =>
      filled(x.dtype, x.shape, (out) => {
        for (let i = 0; i < out.length; i++) {
          const first = i - (i % 3)
          const [m, n] = [first + ((i + 1) % 3), first + ((i + 2) % 3)]
          out[i] = less(a[m], b[n], a[n], b[m])
        }
      })
    if (isBig(x.dtype)) return products(x.data as BigArray, y.data as BigArray, (m, n, o, p) => m * n - o * p)
    const times = isFloat(x.dtype) ? (m: number, n: number) => m * n : Math.imul
    return products(x.data as NumberArray, y.data as NumberArray, (m, n, o, p) => times(m, n) - times(o, p))
  },
}

/** The number of x's type that comes after it on the way to y. */
const nextAfter: Op = {
  evaluate(call) {
    const { dtype } = call.inputs[0]
    if (dtype !== 'float32' && dtype !== 'float64') throw new TypeError(`${dtype} is not a type of this op`)
    const number = dtype === 'float32' ? new Float32Array(1) : new Float64Array(1)
    const bits = dtype === 'float32' ? new Int32Array(number.buffer) : new BigInt64Array(number.buffer)
    const least = dtype === 'float32' ? 2 ** -149 : Number.MIN_VALUE
    return binary((x, y) => {
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN
      if (x === y) return y
      if (x === 0) return y > 0 ? least : -least
      number[0] = x
      // Away from zero the bits count up.
      const up = y > x === x > 0
      if (bits instanceof Int32Array) bits[0] += up ? 1 : -1
      else bits[0] += up ? 1n : -1n
      return number[0]
    }).evaluate(call)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Cross: cross,
  NextAfter: nextAfter,
  Xdivy: binary((x, y) => (x === 0 ? 0 : x / y)),
  Xlogy: binary((x, y) => (x === 0 ? 0 : x * Math.log(y))),
  Xlog1py: binary((x, y) => (x === 0 ? 0 : x * Math.log1p(y))),
  Atan2: binary(Math.atan2),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Tan: unary(Math.tan),
  Sinh: unary(Math.sinh),
  Cosh: unary(Math.cosh),
  Asin: unary(Math.asin),
  Acos: unary(Math.acos),
  Atan: unary(Math.atan),
  Asinh: unary(Math.asinh),
  Acosh: unary(Math.acosh),
  Atanh: unary(Math.atanh),
  Erf: unary(erf),
  Erfc: unary(erfc),
  Lgamma: unary(lgamma),
}
