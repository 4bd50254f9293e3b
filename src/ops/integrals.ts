import type { Op } from '../graph/index.ts'
import { isFloat } from '../tensor/index.ts'
import { binary, unary } from './elementwise.ts'
import { lgamma } from './special.ts'
import { digamma, EULER } from './statistics.ts'
import { floats } from './stepwise.ts'

// Integrals and sums without a closed form, after core/kernels/special_math/special_math_op_misc_impl.h and Eigen's
// SpecialFunctionsImpl.h, which take Cephes' approximations; here they are summed in double precision.

const { NaN: NAN, POSITIVE_INFINITY: INFINITE } = Number

/** Dawson's integral e^(−x²)·∫e^(t²) dt by Rybicki's sum over odd steps, or its series near zero. */
function dawson(x: number): number {
  if (Math.abs(x) < 0.3) {
    let [term, sum] = [x, x]
    for (let n = 1; n < 20; n++) {
      term *= (-2 * x * x) / (2 * n + 1)
      sum += term
    }
    return sum
  }
  // Of −∞ it is 0, not −0.
  if (Math.abs(x) > 1e6) return 0.5 / x + 0
  const step = 0.25
  const middle = 2 * Math.round(x / (2 * step))
  let sum = 0
  for (let odd = -31; odd <= 31; odd += 2) sum += Math.exp(-((x - (middle + odd) * step) ** 2)) / (middle + odd)
  return sum / Math.sqrt(Math.PI)
}

/** The exponential integral Ei. */
function exponentialIntegral(x: number): number {
  if (!(x > 0)) return x === 0 ? -INFINITE : NAN
  if (x === INFINITE) return NAN
  if (x < 40) {
    let [term, sum] = [1, 0]
    for (let n = 1; n < 200; n++) {
      term *= x / n
      sum += term / n
    }
    return EULER + Math.log(x) + sum
  }
  let [term, sum] = [1, 1]
  for (let n = 1; n < 40 && n < x; n++) {
    term *= n / x
    sum += term
  }
  return (Math.exp(x) / x) * sum
}

/** The Fresnel integrals ∫cos(πt²/2) dt and ∫sin(πt²/2) dt: their series, or beyond 3 the expansion of what is left to ½. */
function fresnel(x: number): { readonly cos: number; readonly sin: number } {
  const z = Math.abs(x)
  const sign = x < 0 ? -1 : 1
  const angle = (Math.PI / 2) * z * z
  if (z < 3) {
    let [term, cos, sin] = [z, 0, 0]
    for (let n = 0; n < 60; n++) {
      const part = term / (2 * n + 1)
      if (n % 2 === 0) cos += n % 4 === 0 ? part : -part
      else sin += n % 4 === 1 ? part : -part
      term *= angle / (n + 1)
    }
    return { cos: sign * cos, sin: sign * sin }
  }
  if (Number.isNaN(z)) return { cos: z, sin: z }
  if (z > 1e8) return { cos: sign * 0.5, sin: sign * 0.5 }
  const square = Math.PI * z * z
  let [f, g, term] = [0, 0, 1]
  for (let n = 0; n < 12; n++) {
    if (n % 2 === 0) f += n % 4 === 0 ? term : -term
    else g += n % 4 === 1 ? term : -term
    term *= (2 * n + 1) / square
  }
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  return { cos: sign * (0.5 + (f * s - g * c) / (Math.PI * z)), sin: sign * (0.5 - (f * c + g * s) / (Math.PI * z)) }
}

/** Spence's function, −∫ ln t / (t − 1) dt from 1 to x: the dilogarithm of 1 − x. */
function spence(x: number): number {
  if (!(x >= 0)) return NAN
  if (x === INFINITE) return NAN
  const whole = (Math.PI * Math.PI) / 6
  if (x === 0) return whole
  if (x > 1.5) return -0.5 * Math.log(x) ** 2 - spence(1 / x)
  if (x < 0.5) return whole - Math.log(x) * Math.log1p(-x) - spence(1 - x)
  // Of w = 1 − x, |w| ≤ ½.
  let [power, sum] = [1, 0]
  for (let n = 1; n < 60; n++) {
    power *= 1 - x
    sum += power / (n * n)
  }
  return sum
}

/** (2k)! over Bernoulli's number B2k, for k from 1. */
const FACTORS = [
  12, -720, 30240, -1209600, 47900160, -1.892437580318379e9, 7.47242496e10, -2.950130727918164e12, 116467828143500.67,
  -4.597978722407473e15, 1.8152105401943546e17, -7.166165256175667e18,
]

/**
 * Hurwitz's zeta function Σ(q + n)^−x: the first terms, and Euler and Maclaurin's formula for the others. Below zero terms of
 * both signs cancel, so that float32 comes out as its roundings make it: each step is rounded as Eigen's is.
 */
function zeta(x: number, q: number, round: (x: number) => number): number {
  if (x === 1) return INFINITE
  if (!(x > 1)) return NAN
  if (q <= 0) {
    if (q === Math.floor(q)) return x % 2 === 0 || x === INFINITE ? INFINITE : NAN
    if (x !== Math.floor(x)) return NAN
  }
  if (q === INFINITE) return 0
  // JavaScript's power of 1 to ∞ is NaN, C's is 1.
  if (x === INFINITE && q >= 1) return q === 1 ? 1 : 0
  const [power, least] = [(at: number) => round(at ** -x), round === Math.fround ? 2 ** -23 : 2 ** -52]
  let [sum, at, term] = [power(q), q, 0]
  for (let n = 0; n < 9 || (round !== Math.fround && at <= 9); n++) {
    at = round(at + 1)
    term = power(at)
    sum = round(sum + term)
    if (Math.abs(round(term / sum)) < least) return sum
  }
  const last = at
  sum = round(sum + round(round(term * last) / (x - 1)))
  sum = round(sum - round(0.5 * term))
  let [factor, k] = [1, 0]
  for (const divisor of FACTORS) {
    factor = round(factor * round(x + k))
    term = round(term / last)
    const part = round(round(factor * term) / round(divisor))
    sum = round(sum + part)
    if (Math.abs(round(part / sum)) < least) break
    factor = round(factor * round(x + k + 1))
    term = round(term / last)
    k += 2
  }
  return sum
}

/** The n-th derivative of digamma. */
function polygamma(n: number, x: number, round: (x: number) => number): number {
  if (n !== Math.floor(n)) return NAN
  if (n === 0) return digamma(x)
  return (n % 2 === 0 ? -1 : 1) * Math.exp(lgamma(n + 1)) * zeta(n + 1, x, round)
}

/** Of float32 and float64 only. */
const wide = (op: Op): Op =>
  floats({
    evaluate(call) {
      const { dtype } = call.inputs[0]
      if (isFloat(dtype) && dtype !== 'float32' && dtype !== 'float64')
        throw new TypeError(`${dtype} is not a type of this op`)
      return op.evaluate(call)
    },
  })

/** An op that rounds each step to its type. */
const rounding = (of: (x: number, y: number, round: (x: number) => number) => number): Op =>
  wide({
    evaluate(call) {
      const round = call.inputs[0].dtype === 'float32' ? Math.fround : (x: number) => x
      return binary((x, y) => of(x, y, round)).evaluate(call)
    },
  })

export const ops: Readonly<Record<string, Op>> = {
  Dawsn: wide(unary(dawson)),
  Expint: wide(unary(exponentialIntegral)),
  FresnelCos: wide(unary((x) => fresnel(x).cos)),
  FresnelSin: wide(unary((x) => fresnel(x).sin)),
  Spence: wide(unary(spence)),
  Zeta: rounding(zeta),
  Polygamma: rounding(polygamma),
}
