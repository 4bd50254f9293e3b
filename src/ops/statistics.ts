import type { Op } from '../graph/index.ts'
import { isFloat, type NumberArray } from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { binary, filled, numeric, unary } from './elementwise.ts'
import { erf, erfc, lgamma } from './special.ts'
import { floats } from './stepwise.ts'

// Functions of statistics after core/kernels/cwise_op_{erfinv,ndtri,digamma,igammas,betainc}.cc and special_math, which take
// Cephes' approximations; here they are iterated to double precision.

/** Euler's constant. */
export const EULER = 0.5772156649015329

const { NaN: NAN, POSITIVE_INFINITY: INFINITE } = Number

/** z ≥ 0 with erfc(z) = y, for y in (0, 1]: Newton on the logarithm, which is concave, from above. */
function erfcInverse(y: number): number {
  let z = Math.sqrt(-Math.log(y))
  for (let i = 0; i < 60; i++) {
    const value = erfc(z)
    const step = (Math.log(value / y) * value * Math.sqrt(Math.PI)) / (2 * Math.exp(-z * z))
    z += step
    if (Math.abs(step) <= 1e-16 * z) break
  }
  return z
}

function erfInverse(x: number): number {
  if (!(Math.abs(x) < 1)) return Math.abs(x) === 1 ? x * INFINITE : NAN
  if (Math.abs(x) > 0.5) return Math.sign(x) * erfcInverse(1 - Math.abs(x))
  let y = (x * Math.sqrt(Math.PI)) / 2
  for (let i = 0; i < 8; i++) y -= ((erf(y) - x) * Math.sqrt(Math.PI)) / (2 * Math.exp(-y * y))
  // Of −0 it is 0.
  return y + 0
}

/** The quantile of the normal distribution. */
function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? -INFINITE : p === 1 ? INFINITE : NAN
  if (p > 0.25 && p < 0.75) return Math.SQRT2 * erfInverse(2 * p - 1)
  return Math.SQRT2 * (p < 0.5 ? -erfcInverse(2 * p) : erfcInverse(2 * (1 - p)))
}

/** The derivative of ln Γ: by recurrence to x ≥ 10 and its asymptotic series there; by reflection below zero. */
export function digamma(x: number): number {
  if (x <= 0) {
    if (Number.isInteger(x)) return NAN
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * x)
  }
  let [sum, at] = [0, x]
  for (; at < 10; at++) sum -= 1 / at
  if (at === INFINITE) return at
  const r = 1 / (at * at)
  const series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760))))))
  return sum + Math.log(at) - 0.5 / at - series
}

/** The lower incomplete gamma function over Γ(a), by its series; for x < a + 1. */
function gammaSeries(a: number, x: number): number {
  let [term, sum] = [1 / a, 1 / a]
  for (let n = a + 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= x / n
    sum += term
  }
  return sum * Math.exp(a * Math.log(x) - x - lgamma(a))
}

/** The upper one, by its continued fraction (Lentz); for x ≥ a + 1. */
function gammaFraction(a: number, x: number): number {
  let b = x + 1 - a
  let [c, d] = [1 / TINY, 1 / b]
  let fraction = d
  for (let i = 1; i < 10000; i++) {
    const numerator = -i * (i - a)
    b += 2
    d = 1 / nonzero(numerator * d + b)
    c = nonzero(b + numerator / c)
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return fraction * Math.exp(a * Math.log(x) - x - lgamma(a))
}
const TINY = 1e-300
const nonzero = (x: number): number => (Math.abs(x) < TINY ? TINY : x)

function lowerGamma(a: number, x: number): number {
  if (x === 0) return 0
  if (!(x >= 0 && a > 0)) return NAN
  if (a === INFINITE) return 0
  if (x === INFINITE) return 1
  return x < a + 1 ? gammaSeries(a, x) : 1 - gammaFraction(a, x)
}

function upperGamma(a: number, x: number): number {
  if (!(x >= 0 && a > 0)) return NAN
  if (x === INFINITE) return 0
  if (a === INFINITE || x === 0) return 1
  return x < a + 1 ? 1 - gammaSeries(a, x) : gammaFraction(a, x)
}

/** The regularised incomplete beta function, by its continued fraction (Lentz). */
function incompleteBeta(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return NAN
  if (x === 0 || x === 1) return x
  const front = Math.exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(a, b, x)) / a : 1 - (front * betaFraction(b, a, 1 - x)) / b
}

function betaFraction(a: number, b: number, x: number): number {
  let [c, d] = [1, 1 / nonzero(1 - ((a + b) * x) / (a + 1))]
  let fraction = d
  for (let m = 1; m < 10000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    for (const numerator of [even, odd]) {
      d = 1 / nonzero(1 + numerator * d)
      c = nonzero(1 + numerator / c)
      fraction *= d * c
    }
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return fraction
}

/** e^-|x| · I_order(x) of the modified Bessel functions: their power series, or for large x the asymptotic one. */
function scaledBessel(order: 0 | 1, x: number): number {
  const z = Math.abs(x)
  const sign = order === 1 && x < 0 ? -1 : 1
  if (z === INFINITE) return sign * 0
  if (z < 30) {
    let term = order === 1 ? z / 2 : 1
    let sum = term
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= (z * z) / 4 / (k * (k + order))
      sum += term
    }
    return sign * sum * Math.exp(-z)
  }
  let [term, sum] = [1, 1]
  for (let k = 1; k < 25; k++) {
    term *= -(4 * order * order - (2 * k - 1) ** 2) / (k * 8 * z)
    sum += term
  }
  return (sign * sum) / Math.sqrt(2 * Math.PI * z)
}

const betainc: Op = {
  evaluate(call) {
    const inputs = [0, 1, 2].map((i) => numeric(call, i))
    if (!inputs.every(({ dtype }) => isFloat(dtype))) throw new TypeError('a, b and x must be of a float type')
    const shape = inputs.map((input) => input.shape).reduce(broadcastShape)
    const [a, b, x] = inputs.map((input) => ({
      data: input.data as NumberArray,
      at: broadcastIndices(input.shape, shape),
    }))
    return filled(inputs[0].dtype, shape, (out) => {
      for (let i = 0; i < out.length; i++) out[i] = incompleteBeta(a.data[a.at[i]], b.data[b.at[i]], x.data[x.at[i]])
    })
  },
}

const unscaled = (order: 0 | 1) => (x: number) => scaledBessel(order, x) * Math.exp(Math.abs(x))

export const ops: Readonly<Record<string, Op>> = {
  Erfinv: floats(unary(erfInverse)),
  Ndtri: floats(unary(normalQuantile)),
  Digamma: floats(unary(digamma)),
  Igamma: floats(binary(lowerGamma)),
  Igammac: floats(binary(upperGamma)),
  Betainc: betainc,
  BesselI0: floats(unary(unscaled(0))),
  BesselI0e: floats(unary((x) => scaledBessel(0, x))),
  BesselI1: floats(unary(unscaled(1))),
  BesselI1e: floats(unary((x) => scaledBessel(1, x))),
}
