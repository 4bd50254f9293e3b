import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import {
  type ArrayDType,
  BYTES,
  halfEven,
  halvesOf,
  isBig,
  isFloat,
  isInteger,
  type NumberArray,
  rounded,
  Strings,
  type Tensor,
  type TypedArray,
  tensor,
} from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { binary, comparison, filled, numeric, test, unary } from './elementwise.ts'
import { concat } from './text/bytes.ts'

// Elementwise arithmetic after core/kernels/cwise_ops*.cc. A double's result rounded to float32 is exactly float32's own
// for + − × ÷ and the square root, so those equal TensorFlow's to the bit.

/** A product of 32-bit integers past 2^53 is not exact in a double; Math.imul is, and narrower products fit. */
const wrapping = (float: Op, integer: Op): Op => ({
  evaluate: (call) => (/^u?int32$/.test(call.inputs[0].dtype) ? integer : float).evaluate(call),
})
const multiply = wrapping(
  binary(
    (x, y) => x * y,
    (x, y) => x * y,
  ),
  binary(Math.imul),
)
const square = wrapping(
  unary(
    (x) => x * x,
    (x) => x * x,
  ),
  unary((x) => Math.imul(x, x)),
)
const squaredDifference = wrapping(
  binary(
    (x, y) => (x - y) * (x - y),
    (x, y) => (x - y) * (x - y),
  ),
  binary((x, y) => Math.imul(x - y, x - y)),
)

/** Division, and where it is of integers TensorFlow's refusal of zero (cwise_ops.h, safe_div_or_mod_op). */
const divide = (
  float: (x: number, y: number) => number,
  int: (x: number, y: number) => number,
  big: (x: bigint, y: bigint) => bigint,
): Op => {
  const floats = binary(float)
  const ints = binary(int, big)
  return {
    evaluate(call) {
      const [, y] = [numeric(call, 0), numeric(call, 1)]
      if (isFloat(y.dtype)) return floats.evaluate(call)
      if ((y.data as TypedArray).some((value) => Number(value) === 0))
        throw new InvalidArgumentError('Integer division by zero')
      return ints.evaluate(call)
    },
  }
}

const floorBig = (x: bigint, y: bigint): bigint => {
  const quotient = x / y
  return x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient
}
const floorMod = (x: number, y: number): number => {
  const rest = x % y
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest
}
const floorModBig = (x: bigint, y: bigint): bigint => {
  const rest = x % y
  return rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest
}

const add = binary(
  (x, y) => x + y,
  (x, y) => x + y,
)
const division = divide(
  (x, y) => x / y,
  (x, y) => Math.trunc(x / y),
  (x, y) => x / y,
)
/** The quotient is rounded to its own dtype before the floor: 2.5 / 1e-3 is 2500 in float32, just below in double. */
const floorDivide: Op = {
  evaluate(call) {
    const { dtype } = call.inputs[0]
    const quotient = new (dtype === 'float64' ? Float64Array : Float32Array)(1)
    return divide(
      (x, y) => {
        quotient[0] = x / y
        return Math.floor(rounded(dtype, quotient)[0])
      },
      (x, y) => Math.floor(x / y),
      floorBig,
    ).evaluate(call)
  },
}
/** A NaN on either side is the answer (Eigen's scalar_max_op with PropagateNaN, as TensorFlow's functor uses). */
const greater = (x: number, y: number): number => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : x > y ? x : y)
const lesser = (x: number, y: number): number => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : x < y ? x : y)

/** Add, unlike AddV2, also joins strings. */
const addOrJoin: Op = {
  evaluate(call) {
    const [x, y] = call.inputs
    if (x.dtype !== 'string' || y.dtype !== 'string') return add.evaluate(call)
    const shape = broadcastShape(x.shape, y.shape)
    const [a, b] = [broadcastIndices(x.shape, shape), broadcastIndices(y.shape, shape)]
    return tensor('string', shape, Strings.from(Array.from(a, (from, i) => concat([x.data.at(from), y.data.at(b[i])]))))
  },
}

/** x^y of integers wraps; a negative exponent is refused (cwise_ops.h, safe_scalar_binary_pow_op). */
const power: Op = {
  evaluate(call) {
    const [x, y] = [numeric(call, 0), numeric(call, 1)]
    if (isFloat(x.dtype)) return floatPower.evaluate(call)
    if ((y.data as TypedArray).some((value) => Number(value) < 0)) {
      throw new InvalidArgumentError('Integers to negative integer powers are not allowed')
    }
    return integerPower.evaluate(call)
  },
}
const floatPower = binary((x, y) => (x === 1 ? 1 : x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY ? 1 : x ** y))
const integerPower = binary(
  (x, y) => Number(BigInt.asIntN(32, BigInt(x) ** BigInt(y))),
  (x, y) => BigInt.asIntN(64, x ** y),
)

const erfc = (x: number): number => {
  // W. J. Cody's rational approximations would be shorter in error; this continued series is exact to double rounding.
  const z = Math.abs(x)
  const tail = z < 2.5 ? 1 - erfSeries(z) : erfcFraction(z)
  return x >= 0 ? tail : 2 - tail
}
/** erf by its Maclaurin series, for |x| < 2.5. */
const erfSeries = (x: number): number => {
  let term = x
  let sum = x
  for (let n = 1; n < 60; n++) {
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
  Number.isNaN(x) ? x : Math.abs(x) < 2.5 ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(Math.abs(x)))

/** ln |Γ(x)| by Lanczos' approximation (g = 7, n = 9). */
const lgamma = (x: number): number => {
  if (x === Number.NEGATIVE_INFINITY || (x <= 0 && Number.isInteger(x))) return Number.POSITIVE_INFINITY
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgamma(1 - x)
  if (x === Number.POSITIVE_INFINITY) return x
  let sum = LANCZOS[0]
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x - 1 + i)
  const t = x - 1 + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/**
 * Cast after core/kernels/cast_op*.cc. A float becomes an integer by truncation; what does not fit is what x86 gives:
 * the smallest int32 or int64. Bool is 0 or 1, and anything but zero is true.
 */
const cast: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const to = call.attrs.dtype('DstT') as ArrayDType
    if (BYTES[to] === undefined || BYTES[to] === 0) throw new TypeError(`cannot cast ${x.dtype} to ${to}`)
    if (to === x.dtype) return x
    return filled(to, x.shape, (out) => convert(x.data as TypedArray, x.dtype, out, to))
  },
}

function convert(from: TypedArray, fromType: ArrayDType, out: TypedArray, to: ArrayDType): void {
  const truncate = isFloat(fromType) && isInteger(to)
  if (from instanceof BigInt64Array && out instanceof Float32Array) {
    int64ToFloat(from, out)
    return
  }
  for (let i = 0; i < out.length; i++) {
    const value = from[i]
    if (to === 'bool') out[i] = Number(value) !== 0 ? 1 : 0
    else if (truncate) out[i] = isBig(to) ? toBig(Number(value), to) : toInteger(Number(value), to)
    else
      out[i] = isBig(to)
        ? BigInt(value)
        : isFloat(to)
          ? Number(value)
          : Number(typeof value === 'bigint' ? BigInt.asIntN(32, value) : value)
  }
}

/** Rounded once, as the processor does it: what a double cannot hold of the low bits is kept as one sticky bit. */
function int64ToFloat(from: BigInt64Array, out: Float32Array): void {
  const halves = halvesOf(from)
  for (let i = 0; i < out.length; i++) {
    const [low, high] = [halves[2 * i] >>> 0, halves[2 * i + 1]]
    const exact = high >= -(2 ** 21) && high < 2 ** 21
    const kept = exact ? low : ((low & ~0x7ff) | ((low & 0x7ff) === 0 ? 0 : 0x800)) >>> 0
    out[i] = high * 2 ** 32 + kept
  }
}

const LOWEST_32 = -(2 ** 31)
/** Narrow types go through int32 as x86's conversion does; uint32 through int64. */
function toInteger(value: number, to: ArrayDType): number {
  const whole = Math.trunc(value)
  if (to === 'uint32')
    return Number.isFinite(whole) && Math.abs(whole) < 2 ** 63 ? Number(BigInt.asUintN(32, BigInt(whole))) : 0
  return whole >= LOWEST_32 && whole < 2 ** 31 ? whole : LOWEST_32
}
function toBig(value: number, to: ArrayDType): bigint {
  const limit = to === 'uint64' ? 2 ** 64 : 2 ** 63
  if (!(value >= -(2 ** 63) && value < limit)) return -(2n ** 63n)
  return BigInt(Math.trunc(value))
}

/** Sums any number of tensors of one shape. */
const addN: Op = {
  evaluate(call) {
    let [sum] = call.inputs
    for (let i = 1; i < call.inputs.length; i++) {
      const next = add.evaluate({ ...call, inputs: [sum, call.inputs[i]] })
      sum = next as Tensor
    }
    return sum
  },
}

/** A tensor of the input's shape and dtype filled with `value`; of strings, empty ones. */
const like = (value: number): Op => ({
  evaluate(call) {
    const [x] = call.inputs
    if (x.dtype === 'string')
      return tensor('string', x.shape, new Strings(new Uint8Array(0), new Uint32Array(x.data.length + 1)))
    const { dtype, shape } = numeric(call, 0)
    return filled(dtype, shape, (out) => {
      if (isBig(dtype)) (out as BigInt64Array).fill(BigInt(value))
      else (out as NumberArray).fill(value)
    })
  },
})

/** Shifts by less than nothing or by more than the type holds stop at its bounds, as cwise_ops.h clamps them. */
const shift = (int: (x: number, by: number) => number, big: (x: bigint, by: bigint) => bigint): Op => ({
  evaluate(call) {
    const x = numeric(call, 0)
    const bits = BYTES[x.dtype] * 8
    const most = BigInt(bits - 1)
    return binary(
      (value, by) => int(value, Math.min(Math.max(by, 0), bits - 1)),
      (value, by) => big(value, by < 0n ? 0n : by > most ? most : by),
    ).evaluate(call)
  },
})

const logical = (apply: (x: number, y: number) => boolean): Op => binary((x, y) => (apply(x, y) ? 1 : 0))

const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))

export const ops: Readonly<Record<string, Op>> = {
  Add: addOrJoin,
  AddV2: add,
  AddN: addN,
  Sub: binary(
    (x, y) => x - y,
    (x, y) => x - y,
  ),
  Mul: multiply,
  Div: division,
  RealDiv: division,
  TruncateDiv: division,
  FloorDiv: floorDivide,
  FloorMod: divide(floorMod, floorMod, floorModBig),
  Mod: divide(
    (x, y) => x % y,
    (x, y) => x % y,
    (x, y) => x % y,
  ),
  TruncateMod: divide(
    (x, y) => x % y,
    (x, y) => x % y,
    (x, y) => x % y,
  ),
  DivNoNan: binary((x, y) => (y === 0 ? 0 : x / y)),
  MulNoNan: binary((x, y) => (y === 0 ? 0 : x * y)),
  Xdivy: binary((x, y) => (x === 0 ? 0 : x / y)),
  Xlogy: binary((x, y) => (x === 0 ? 0 : x * Math.log(y))),
  Xlog1py: binary((x, y) => (x === 0 ? 0 : x * Math.log1p(y))),
  Maximum: binary(greater, (x, y) => (x > y ? x : y)),
  Minimum: binary(lesser, (x, y) => (x < y ? x : y)),
  Pow: power,
  Atan2: binary(Math.atan2),
  SquaredDifference: squaredDifference,
  BitwiseAnd: binary(
    (x, y) => x & y,
    (x, y) => x & y,
  ),
  BitwiseOr: binary(
    (x, y) => x | y,
    (x, y) => x | y,
  ),
  BitwiseXor: binary(
    (x, y) => x ^ y,
    (x, y) => x ^ y,
  ),
  LeftShift: shift(
    (x, by) => x << by,
    (x, by) => x << by,
  ),
  RightShift: shift(
    (x, by) => x >> by,
    (x, by) => x >> by,
  ),
  Invert: unary(
    (x) => ~x,
    (x) => ~x,
  ),

  Equal: comparison(
    (x, y) => x === y,
    (order) => order === 0,
  ),
  NotEqual: comparison(
    (x, y) => x !== y,
    (order) => order !== 0,
  ),
  Less: comparison(
    (x, y) => x < y,
    (order) => order < 0,
  ),
  LessEqual: comparison(
    (x, y) => x <= y,
    (order) => order <= 0,
  ),
  Greater: comparison(
    (x, y) => x > y,
    (order) => order > 0,
  ),
  GreaterEqual: comparison(
    (x, y) => x >= y,
    (order) => order >= 0,
  ),
  LogicalAnd: logical((x, y) => x !== 0 && y !== 0),
  LogicalOr: logical((x, y) => x !== 0 || y !== 0),
  LogicalNot: unary((x) => (x === 0 ? 1 : 0)),

  Abs: unary(Math.abs, (x) => (x < 0n ? -x : x)),
  Neg: unary(
    (x) => -x,
    (x) => -x,
  ),
  Sign: unary(Math.sign, (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  Square: square,
  Sqrt: unary(Math.sqrt),
  Rsqrt: unary((x) => 1 / Math.sqrt(x)),
  Reciprocal: unary((x) => 1 / x),
  Inv: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Expm1: unary(Math.expm1),
  Log: unary(Math.log),
  Log1p: unary(Math.log1p),
  Sigmoid: unary(sigmoid),
  Tanh: unary(Math.tanh),
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
  Floor: unary(Math.floor, (x) => x),
  Ceil: unary(Math.ceil, (x) => x),
  Round: unary(halfEven, (x) => x),
  Rint: unary(halfEven),
  IsNan: test(Number.isNaN),
  IsFinite: test(Number.isFinite),
  IsInf: test((x) => Math.abs(x) === Number.POSITIVE_INFINITY),
  Cast: cast,
  ZerosLike: like(0),
  OnesLike: like(1),
}
