import type { Op } from '../graph/index.ts'
import { unary } from './elementwise.ts'
import { EULER } from './statistics.ts'
import { floats } from './stepwise.ts'

// Bessel functions of orders 0 and 1, after core/kernels/cwise_op_bessel.cc, whose Eigen takes Cephes' approximations; here they
// come from their recurrences, series and integrals, in double precision.

const { NaN: NAN, POSITIVE_INFINITY: INFINITE } = Number

interface Both {
  readonly j0: number
  readonly j1: number
  readonly y0: number
  readonly y1: number
}

/** J and Y of x > 0. */
function both(x: number): Both {
  // No limit is taken, as Eigen's sine of ∞ takes none.
  if (x === INFINITE) return { j0: NAN, j1: NAN, y0: NAN, y1: NAN }
  if (x < 1e-8) {
    const log = Math.log(x / 2) + EULER
    return { j0: 1, j1: x / 2, y0: (2 / Math.PI) * log, y1: -2 / Math.PI / x }
  }
  return x < 50 ? recurred(x) : asymptotic(x)
}

/**
 * Miller: J from a high order down, scaled by 1 = J0 + 2·ΣJ2k. Y0 is Neumann's series of the J2k, (2/π)(ln(x/2) + γ)·J0 −
 * (4/π)·Σ(−1)^k·J2k/k, and Y1 its derivative.
 */
function recurred(x: number): Both {
  const top = 2 * (Math.ceil(x) + 10)
  const j = new Float64Array(top + 2)
  j[top] = 1e-300
  for (let n = top; n > 0; n--) {
    j[n - 1] = ((2 * n) / x) * j[n] - j[n + 1]
    // The sum of what comes at most leaves doubles no room where x is small.
    if (Math.abs(j[n - 1]) > 1e250) for (let i = n - 1; i <= top; i++) j[i] *= 1e-250
  }
  let sum = j[0]
  for (let n = 2; n <= top; n += 2) sum += 2 * j[n]
  let [even, odd] = [0, 0]
  for (let k = 1; 2 * k < top; k++) {
    const sign = k % 2 === 0 ? 1 : -1
    even += (sign * j[2 * k]) / k
    odd += (sign * (j[2 * k - 1] - j[2 * k + 1])) / k
  }
  const log = Math.log(x / 2) + EULER
  const y0 = (2 / Math.PI) * (log * j[0] - 2 * even)
  const y1 = (2 / Math.PI) * (log * j[1] - j[0] / x + odd)
  return { j0: j[0] / sum, j1: j[1] / sum, y0: y0 / sum, y1: y1 / sum }
}

/** Hankel's expansion, for large x. */
function asymptotic(x: number): Both {
  const of = (order: 0 | 1) => {
    let [p, q, term] = [1, 0, 1]
    for (let k = 1; k < 30; k++) {
      term *= (4 * order * order - (2 * k - 1) ** 2) / (k * 8 * x)
      if (k % 2 === 1) q += k % 4 === 1 ? term : -term
      else p += k % 4 === 0 ? term : -term
    }
    const phase = x - (order / 2 + 0.25) * Math.PI
    const size = Math.sqrt(2 / (Math.PI * x))
    const [cos, sin] = [Math.cos(phase), Math.sin(phase)]
    return { j: size * (p * cos - q * sin), y: size * (p * sin + q * cos) }
  }
  const [zero, one] = [of(0), of(1)]
  return { j0: zero.j, j1: one.j, y0: zero.y, y1: one.y }
}

/** Of the second kind: below zero as at zero. */
const second = (of: (values: Both) => number) => (x: number) => (x > 0 ? of(both(x)) : -INFINITE)

/** e^x · K_order(x): ∫ e^(−x·(cosh t − 1)) · cosh(order·t) dt from 0 on, which the trapezoidal rule takes to the last digit. */
function scaledK(order: 0 | 1, x: number): number {
  if (x <= 0) return INFINITE
  if (x === INFINITE) return 0
  const step = x > 1 ? 1 / 16 / Math.sqrt(x) : 1 / 16
  let sum = 0.5
  for (let t = step; ; t += step) {
    // cosh t − 1, exact where t is small.
    const value = Math.exp(-x * 2 * Math.sinh(t / 2) ** 2) * (order === 0 ? 1 : Math.cosh(t))
    if (!(value > 1e-18 * sum)) break
    sum += value
  }
  return step * sum
}

const unscaled = (order: 0 | 1) => (x: number) => (x <= 0 ? INFINITE : scaledK(order, x) * Math.exp(-x))
const known = (of: (x: number) => number) => floats(unary((x) => (Number.isNaN(x) ? x : of(x))))

/** In float32 the formula at zero is 0 · −∞, which is NaN. */
const secondOfOne: Op = {
  evaluate(call) {
    const isDouble = call.inputs[0].dtype === 'float64'
    const value = second(({ y1 }) => y1)
    return known((x) => (!isDouble && Math.abs(x) < 2 ** -126 ? NAN : value(x))).evaluate(call)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  BesselJ0: known((x) => (x === 0 ? 1 : both(Math.abs(x)).j0)),
  BesselJ1: known((x) => (x === 0 ? x : Math.sign(x) * both(Math.abs(x)).j1)),
  BesselY0: known(second(({ y0 }) => y0)),
  BesselY1: secondOfOne,
  BesselK0: known(unscaled(0)),
  BesselK0e: known((x) => scaledK(0, x)),
  BesselK1: known(unscaled(1)),
  BesselK1e: known((x) => scaledK(1, x)),
}
