// Each function of one number as mathematics has it, in double precision.

/** erf by its Taylor series below 3, by the continued fraction of erfc from there; to about 1e-15. */
function erf(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x) || a > 30) return Number.isNaN(x) ? x : Math.sign(x)
  if (a < 3) {
    let term = x
    let sum = x
    for (let i = 1; Math.abs(term) > 1e-20 * Math.abs(sum) && i < 200; i++) {
      term *= (-x * x) / i
      sum += term / (2 * i + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = a
  for (let i = 120; i > 0; i--) fraction = a + i / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction)
}

/** 1 − erf below 1, where it does not cancel; from there its continued fraction, with as many terms as that needs. */
function erfc(x: number): number {
  if (!(x >= 1)) return 1 - erf(x)
  let fraction = x
  for (let i = 400; i > 0; i--) fraction = x + i / 2 / fraction
  return x > 30 ? 0 : Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction
}

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)))

function rint(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x
  const below = Math.floor(x)
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0)
  const nearest = below + (up ? 1 : 0)
  return nearest === 0 ? 0 * Math.sign(x) : nearest
}

export const REFERENCE = {
  none: (x: number) => x,
  relu: (x: number) => (x < 0 ? 0 : x),
  relu6: (x: number) => (x < 0 ? 0 : x > 6 ? 6 : x),
  sigmoid,
  tanh: Math.tanh,
  elu: (x: number, alpha: number) => (x < 0 ? alpha * Math.expm1(x) : x),
  selu: (x: number) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x),
  gelu: (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x: number) => x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)),
  leakyRelu: (x: number, alpha: number) => (x < 0 ? alpha * x : x),
  softplus: (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  swish: (x: number) => x * sigmoid(x),
  softsign: (x: number) => x / (1 + Math.abs(x)),
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  rsqrt: (x: number) => 1 / Math.sqrt(x),
  square: (x: number) => x * x,
  neg: (x: number) => -x,
  abs: Math.abs,
  erf,
  erfc,
  reciprocal: (x: number) => 1 / x,
  floor: Math.floor,
  ceil: Math.ceil,
  rint,
} as const satisfies Record<string, (x: number, alpha: number) => number>
