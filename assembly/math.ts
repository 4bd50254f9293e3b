// exp, log, tanh … on four floats at once, without branches and without tables. The polynomials are minimax fits (Remez
// exchange, 40 digits) rounded to float32. Largest relative error over all magnitudes, which the tests hold: exp and log
// 8e-8, elu 1.3e-7, erf, sigmoid, tanh, softplus and log1p 1.8e-7, erfc 4.5e-7 (a unit in the last place is 1.2e-7).
import { madd, splat } from './lanes'

/** 1.5 · 2²³: added to a small float and taken away again it leaves the nearest integer, ties to even. */
const ROUND: f32 = 12582912
const LOG2E: f32 = 1.4426950216293335
/** ln 2 in two parts; twelve bits in the first, so that an exponent times it is exact. */
const LN2_HI: f32 = 0.693115234375
const LN2_LO: f32 = 3.194618329871446e-5

/** (eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2, within 1.4e-8 of eʳ. */
// @ts-ignore: decorator
@inline
function exponential(r: v128): v128 {
  let q = madd(splat(0.001394667779095471), r, splat(0.008366710506379604))
  q = madd(q, r, splat(0.04166628047823906))
  q = madd(q, r, splat(0.16666541993618011))
  return madd(q, r, splat(0.5))
}

/** 2ⁱ for integers −126 ≤ i ≤ 128, the last of which is Infinity. */
// @ts-ignore: decorator
@inline
function power(i: v128): v128 {
  return i32x4.shl(i32x4.add(i, i32x4.splat(127)), 23)
}

/**
 * eˣ. Infinity from 88.7228 on, denormals below −87.3, 0 below −103.97, NaN for NaN. The power of two is applied in two
 * halves: one alone could not reach the denormals, and so the only rounding there is the last multiplication's.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  // With x as the first operand pmin and pmax let NaN through.
  const v = f32x4.pmax(f32x4.pmin(x, splat(89)), splat(-105))
  const shifted = madd(v, splat(LOG2E), splat(ROUND))
  const n = f32x4.sub(shifted, splat(ROUND))
  const r = madd(n, splat(-LN2_LO), madd(n, splat(-LN2_HI), v))
  const e = f32x4.add(splat(1), madd(f32x4.mul(r, r), exponential(r), r))
  const i = i32x4.sub(shifted, i32x4.splat(0x4b400000))
  const half = i32x4.shr_s(i, 1)
  return f32x4.mul(f32x4.mul(e, power(half)), power(i32x4.sub(i, half)))
}

/**
 * eˣ as `exp4` has it to the last bit, for x ≤ 0 or NaN. Where that is 0 its last multiplication is one by 0: a product that
 * underflows takes the processor a hundred cycles, and a mask adds −10⁹ to half of what a causal attention compares.
 */
// @ts-ignore: decorator
@inline
export function expOfDifference4(x: v128): v128 {
  const v = f32x4.pmax(x, splat(-105))
  const shifted = madd(v, splat(LOG2E), splat(ROUND))
  const n = f32x4.sub(shifted, splat(ROUND))
  const r = madd(n, splat(-LN2_LO), madd(n, splat(-LN2_HI), v))
  const e = f32x4.add(splat(1), madd(f32x4.mul(r, r), exponential(r), r))
  const i = i32x4.sub(shifted, i32x4.splat(0x4b400000))
  const half = i32x4.shr_s(i, 1)
  const some = v128.andnot(f32x4.mul(e, power(half)), f32x4.lt(x, splat(-104)))
  return f32x4.mul(some, power(i32x4.sub(i, half)))
}

/** eˣ − 1 for x ≤ 0, exact to the last places near 0, where exp(x) − 1 would cancel. */
// @ts-ignore: decorator
@inline
export function expm1Negative4(x: v128): v128 {
  const v = f32x4.pmax(x, splat(-20))
  const shifted = madd(v, splat(LOG2E), splat(ROUND))
  const n = f32x4.sub(shifted, splat(ROUND))
  const r = madd(n, splat(-LN2_LO), madd(n, splat(-LN2_HI), v))
  const p = madd(f32x4.mul(r, r), exponential(r), r)
  const scale = power(i32x4.sub(shifted, i32x4.splat(0x4b400000)))
  return madd(scale, p, f32x4.sub(scale, splat(1)))
}

/** 1 / (1 + e⁻ˣ), from e^−|x| so that it neither overflows nor cancels. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)))
  return f32x4.div(v128.bitselect(splat(1), e, f32x4.ge(x, splat(0))), f32x4.add(splat(1), e))
}

/** tanh x = −m / (2 + m) with m = e^(−2|x|) − 1; the sign is copied, so −0 stays. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const m = expm1Negative4(f32x4.mul(f32x4.abs(x), splat(-2)))
  const t = f32x4.div(m, f32x4.add(splat(2), m))
  return v128.bitselect(x, t, i32x4.splat(0x80000000))
}

/** ln w for normal positive w; what a NaN gives is not said. */
// @ts-ignore: decorator
@inline
function logNormal4(w: v128, bias: v128): v128 {
  // The exponent is taken where the mantissa lies between √½ and √2: then nothing cancels around 1.
  const e = i32x4.shr_s(i32x4.sub(w, i32x4.splat(0x3f3504f3)), 23)
  const f = f32x4.sub(i32x4.sub(w, i32x4.shl(e, 23)), splat(1))
  const n = f32x4.sub(f32x4.convert_i32x4_s(e), bias)
  let p = madd(splat(-0.07859598845243454), f, splat(0.1288164108991623))
  p = madd(p, f, splat(-0.1312875598669052))
  p = madd(p, f, splat(0.14181193709373474))
  p = madd(p, f, splat(-0.16624553501605988))
  p = madd(p, f, splat(0.2000228613615036))
  p = madd(p, f, splat(-0.25000810623168945))
  p = madd(p, f, splat(0.33333316445350647))
  const ff = f32x4.mul(f, f)
  const y = madd(ff, splat(-0.5), madd(n, splat(LN2_LO), f32x4.mul(f32x4.mul(p, ff), f)))
  return madd(n, splat(LN2_HI), f32x4.add(f, y))
}

/** ln x. −Infinity for ±0, NaN for what is negative, denormals as exactly as the rest. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const small = f32x4.lt(x, splat(1.1754943508222875e-38))
  const normal = v128.bitselect(f32x4.mul(x, splat(8388608)), x, small)
  const y = logNormal4(normal, v128.and(splat(23), small))
  const finite = v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, splat(Infinity)))
  const other = v128.bitselect(x, splat(NaN), f32x4.eq(x, splat(Infinity)))
  return v128.bitselect(y, v128.bitselect(splat(-Infinity), other, f32x4.eq(x, splat(0))), finite)
}

/** ln(1 + x): the part of x that 1 + x rounds away comes back as a correction. */
// @ts-ignore: decorator
@inline
export function log1p4(x: v128): v128 {
  const w = f32x4.add(splat(1), x)
  const lost = f32x4.div(f32x4.sub(x, f32x4.sub(w, splat(1))), w)
  const finite = v128.and(f32x4.gt(w, splat(0)), f32x4.lt(w, splat(Infinity)))
  const y = f32x4.add(log4(w), v128.and(lost, finite))
  return v128.bitselect(x, y, f32x4.eq(w, splat(1)))
}

/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), which does not overflow. */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)))
  const w = f32x4.add(splat(1), e)
  const lost = f32x4.div(f32x4.sub(e, f32x4.sub(w, splat(1))), w)
  return f32x4.add(f32x4.pmax(x, splat(0)), f32x4.add(logNormal4(w, splat(0)), lost))
}

/** erf x: an odd polynomial below 1, from there 1 − exp(polynomial), and 1 from 3.92 on. */
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const a = f32x4.abs(x)
  const t = f32x4.mul(x, x)
  let s = madd(splat(7.853862189222127e-5), t, splat(-0.0008010193705558777))
  s = madd(s, t, splat(0.005188327748328447))
  s = madd(s, t, splat(-0.026853810995817184))
  s = madd(s, t, splat(0.1128358542919159))
  s = madd(s, t, splat(-0.3761262595653534))
  s = madd(s, t, splat(1.1283791065216064))
  const b = f32x4.pmin(a, splat(4))
  let l = madd(splat(0.00018557299335952848), b, splat(-0.0029395977035164833))
  l = madd(l, b, splat(0.021805280819535255))
  l = madd(l, b, splat(-0.10303729772567749))
  l = madd(l, b, splat(-0.6382257342338562))
  l = madd(l, b, splat(-1.1270400285720825))
  l = madd(l, b, splat(-0.00035373048740439117))
  const large = v128.bitselect(x, f32x4.sub(splat(1), exp4(l)), i32x4.splat(0x80000000))
  return v128.bitselect(f32x4.mul(x, s), large, f32x4.lt(a, splat(1)))
}

/**
 * erfc x = e^(−x²) times a slow function of x, a polynomial in 2 / (1 + x / 2) − 1.15 times 1 / (1 + x / 2); below 0 it is
 * 2 − erfc(−x). The square is that of x to twelve bits, which is exact, and what it lacks is a factor of its own: rounded, it
 * would cost the tail five places.
 */
// @ts-ignore: decorator
@inline
export function erfc4(x: v128): v128 {
  // 0 from 10.06 on.
  const a = f32x4.pmin(f32x4.abs(x), splat(12))
  const u = f32x4.div(splat(1), madd(a, splat(0.5), splat(1)))
  const v = madd(u, splat(2), splat(-1.15))
  let q = madd(splat(2.282019158883486e-5), v, splat(-0.00023282969777937979))
  q = madd(q, v, splat(6.548329838551581e-5))
  q = madd(q, v, splat(0.001742575434036553))
  q = madd(q, v, splat(-0.0017256068531423807))
  q = madd(q, v, splat(-0.012617313303053379))
  q = madd(q, v, splat(0.011151247657835484))
  q = madd(q, v, splat(0.14638584852218628))
  q = madd(q, v, splat(0.3865783214569092))
  q = madd(q, v, splat(0.5655282735824585))
  const rough = v128.and(a, i32x4.splat(0xfffff000))
  const d = f32x4.mul(f32x4.sub(a, rough), f32x4.add(a, rough))
  // e^−d for d < 0.07.
  let rest = madd(d, splat(0.041666667), splat(-0.16666667))
  rest = madd(madd(madd(rest, d, splat(0.5)), d, splat(-1)), d, splat(1))
  const tail = f32x4.mul(f32x4.mul(f32x4.mul(u, q), rest), exp4(f32x4.neg(f32x4.mul(rough, rough))))
  return v128.bitselect(f32x4.sub(splat(2), tail), tail, f32x4.lt(x, splat(0)))
}
