import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import {
  concatBytes,
  halfEven,
  isBig,
  isFloat,
  isHalf,
  type NumberArray,
  rounded,
  Strings,
  sameShape,
  type Tensor,
  type TensorOf,
  type TypedArray,
  tensor,
} from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { comparison, equality, logical } from './comparison.ts'
import { binary, filled, numeric, test, unary } from './elementwise.ts'

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
const wholeDivide = (whole: (x: number) => number, big: (x: bigint, y: bigint) => bigint): Op => ({
  evaluate(call) {
    const { dtype } = call.inputs[0]
    const quotient = new (dtype === 'float64' ? Float64Array : Float32Array)(1)
    return divide(
      (x, y) => {
        quotient[0] = x / y
        return whole(rounded(dtype, quotient)[0])
      },
      (x, y) => whole(x / y),
      big,
    ).evaluate(call)
  },
})
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
    return tensor(
      'string',
      shape,
      Strings.from(Array.from(a, (from, i) => concatBytes([x.data.at(from), y.data.at(b[i])]))),
    )
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
const floatPower = binary((x, y) => (x === 1 ? 1 : x === -1 && Math.abs(y) === Infinity ? 1 : x ** y))
const integerPower = binary(
  (x, y) => Number(BigInt.asIntN(32, BigInt(x) ** BigInt(y))),
  (x, y) => BigInt.asIntN(64, x ** y),
)

/** Sums any number of tensors of one shape: it broadcasts none. */
const addN: Op = {
  evaluate: (call) =>
    call.inputs.reduce((sum, next) => {
      if (!sameShape(sum.shape, next.shape))
        throw new InvalidArgumentError(`inputs must have one shape, got [${sum.shape}] and [${next.shape}]`)
      return add.evaluate({ ...call, inputs: [sum, next] }) as Tensor
    }),
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

const logistic = unary((x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))))

/** In half floats e^x / (1 + e^x) is rounded after each step (Eigen's generic logistic). */
const sigmoid: Op = {
  evaluate(call) {
    const { dtype } = call.inputs[0]
    if (!isHalf(dtype)) return logistic.evaluate(call)
    const { shape, data } = ops.Exp.evaluate(call) as TensorOf<typeof dtype>
    const sums = rounded(
      dtype,
      data.map((power) => 1 + power),
    )
    return filled(dtype, shape, (out) => {
      for (let i = 0; i < data.length; i++) out[i] = data[i] === Infinity ? 1 : data[i] / sums[i]
    })
  },
}

const inverseRoot = unary((x) => 1 / Math.sqrt(x))

/** Of half floats past the last packet of eight Eigen rounds the root, and then 1 over it. */
const rsqrt: Op = {
  evaluate(call) {
    const y = inverseRoot.evaluate(call) as TensorOf<'float16'>
    if (isHalf(y.dtype)) {
      const roots = (ops.Sqrt.evaluate(call) as typeof y).data
      for (let i = y.data.length & -8; i < roots.length; i++) y.data[i] = 1 / roots[i]
      rounded(y.dtype, y.data)
    }
    return y
  },
}

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
  TruncateDiv: wholeDivide(Math.trunc, (x, y) => x / y),
  FloorDiv: wholeDivide(Math.floor, floorBig),
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
  Maximum: binary(greater, (x, y) => (x > y ? x : y)),
  Minimum: binary(lesser, (x, y) => (x < y ? x : y)),
  Pow: power,
  SquaredDifference: squaredDifference,

  Equal: equality((order) => order === 0),
  NotEqual: equality((order) => order !== 0),
  Less: comparison((order) => order < 0),
  LessEqual: comparison((order) => order <= 0),
  Greater: comparison((order) => order > 0),
  GreaterEqual: comparison((order) => order >= 0),
  LogicalAnd: logical(0),
  LogicalOr: logical(1),
  LogicalNot: unary((x) => (x === 0 ? 1 : 0)),

  Abs: unary(Math.abs, (x) => (x < 0n ? -x : x)),
  Neg: unary(
    (x) => -x,
    (x) => -x,
  ),
  // Of −0 it is 0: the sum of the two is.
  Sign: unary(
    (x) => Math.sign(x) + 0,
    (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  ),
  Square: square,
  Sqrt: unary(Math.sqrt),
  Rsqrt: rsqrt,
  Reciprocal: unary((x) => 1 / x),
  Inv: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Expm1: unary(Math.expm1),
  Log: unary(Math.log),
  Log1p: unary(Math.log1p),
  Sigmoid: sigmoid,
  Tanh: unary(Math.tanh),
  Floor: unary(Math.floor, (x) => x),
  Ceil: unary(Math.ceil, (x) => x),
  Round: unary(halfEven, (x) => x),
  Rint: unary(halfEven),
  IsNan: test(Number.isNaN),
  IsFinite: test(Number.isFinite),
  IsInf: test((x) => Math.abs(x) === Infinity),
  ZerosLike: like(0),
  OnesLike: like(1),
}
