import { lengthOf } from './spectra.ts'

// Functions of one complex number, as std::complex has them, by real functions in doubles.

export interface Complex {
  re: number
  im: number
}

/** Writes a function of `x` into `out`, which is another. */
export type Apply = (x: Complex, out: Complex) => void

const give = (out: Complex, re: number, im: number): void => {
  out.re = re
  out.im = im
}

/** e^re (cos im + i sin im); an imaginary part of zero keeps its sign. */
const exp: Apply = ({ re, im }, out) => {
  const length = Math.exp(re)
  give(out, length * Math.cos(im), im === 0 ? im : length * Math.sin(im))
}

/** e^x − 1 without what cancels near zero. */
const expm1: Apply = ({ re, im }, out) => {
  const half = Math.sin(im / 2)
  give(out, Math.expm1(re) * Math.cos(im) - 2 * half * half, im === 0 ? im : Math.exp(re) * Math.sin(im))
}

const log: Apply = ({ re, im }, out) => give(out, Math.log(lengthOf(re, im)), Math.atan2(im, re))

const log1p: Apply = ({ re, im }, out) => give(out, Math.log1p(re * (2 + re) + im * im) / 2, Math.atan2(im, 1 + re))

/** The root with a real part that is not negative. */
const sqrt: Apply = ({ re, im }, out) => {
  if (re === 0 && im === 0) return give(out, 0, im)
  const half = Math.sqrt((lengthOf(re, im) + Math.abs(re)) / 2)
  const other = Math.abs(im) / (2 * half)
  const sign = im < 0 || Object.is(im, -0) ? -1 : 1
  if (re >= 0) give(out, half, sign * other)
  else give(out, other, sign * half)
}

/** Scaled by the larger part: nothing overflows that has an inverse. */
const inverse: Apply = ({ re, im }, out) => {
  const scale = Math.max(Math.abs(re), Math.abs(im))
  const [a, b] = [re / scale, im / scale]
  const square = (a * a + b * b) * scale
  give(out, a / square, -b / square)
}

/** One divided by it: a zero that is the imaginary part has the sign of that of the numerator, 0 · re − im. */
const reciprocal: Apply = (x, out) => {
  inverse(x, out)
  if (x.im === 0 && x.re !== 0) out.im = 0 * x.re - x.im
}

const rsqrt: Apply = (x, out) => {
  const root = { re: 0, im: 0 }
  sqrt(x, root)
  inverse(root, out)
}

const square: Apply = ({ re, im }, out) => give(out, re * re - im * im, 2 * re * im)

const sin: Apply = ({ re, im }, out) => give(out, Math.sin(re) * Math.cosh(im), Math.cos(re) * Math.sinh(im))
const cos: Apply = ({ re, im }, out) => give(out, Math.cos(re) * Math.cosh(im), -Math.sin(re) * Math.sinh(im))
const sinh: Apply = ({ re, im }, out) => give(out, Math.sinh(re) * Math.cos(im), Math.cosh(re) * Math.sin(im))
const cosh: Apply = ({ re, im }, out) => give(out, Math.cosh(re) * Math.cos(im), Math.sinh(re) * Math.sin(im))

/** Past where e^(2 re) overflows the real part is ±1, and what is left of the other vanishes. */
const LARGE = 350

const tanh: Apply = ({ re, im }, out) => {
  if (Math.abs(re) > LARGE) return give(out, Math.sign(re), 0 * Math.sin(2 * im))
  const under = Math.cosh(2 * re) + Math.cos(2 * im)
  give(out, Math.sinh(2 * re) / under, Math.sin(2 * im) / under)
}

const tan: Apply = ({ re, im }, out) => {
  const turned = { re: 0, im: 0 }
  tanh({ re: -im, im: re }, turned)
  give(out, turned.im, -turned.re)
}

/** 1 / (1 + e^−x) */
const sigmoid: Apply = ({ re, im }, out) => {
  const power = { re: 0, im: 0 }
  exp({ re: -re, im: -im }, power)
  inverse({ re: 1 + power.re, im: power.im }, out)
}

/** x / |x|, and zero of zero. */
const sign: Apply = ({ re, im }, out) => {
  const length = lengthOf(re, im)
  if (length === 0) give(out, 0, 0)
  else give(out, re / length, im / length)
}

export const FUNCTIONS: Readonly<Record<string, Apply>> = {
  Cos: cos,
  Cosh: cosh,
  Exp: exp,
  Expm1: expm1,
  Inv: reciprocal,
  Log: log,
  Log1p: log1p,
  Reciprocal: reciprocal,
  Rsqrt: rsqrt,
  Sigmoid: sigmoid,
  Sign: sign,
  Sin: sin,
  Sinh: sinh,
  Sqrt: sqrt,
  Square: square,
  Tan: tan,
  Tanh: tanh,
}
