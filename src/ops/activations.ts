import type { Attrs, Op } from '../graph/index.ts'
import { type DType, isFloat, rounded } from '../tensor/index.ts'
import { unary } from './elementwise.ts'

/** An activation of one number; `alpha` is the slope of LeakyRelu below zero. */
export type Activation = (x: number, alpha: number) => number

const SELU_SCALE = 1.0507009873554805
const SELU_SCALE_ALPHA = 1.7580993408473768

/**
 * Activations by the names that TensorFlow's ops and its fused kernels have (core/kernels/relu_op_functor.h,
 * softplus_op.h, softsign_op.h). NaN comes out as NaN.
 */
export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  Relu: (x) => (x < 0 ? 0 : x),
  Relu6: (x) => (x < 0 ? 0 : x > 6 ? 6 : x),
  Elu: (x) => (x < 0 ? Math.expm1(x) : x),
  Selu: (x) => (x < 0 ? SELU_SCALE_ALPHA * Math.expm1(x) : SELU_SCALE * x),
  LeakyRelu: (x, alpha) => (x < 0 ? x * alpha : x),
  Softplus: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  Softsign: (x) => (Math.abs(x) === Number.POSITIVE_INFINITY ? Number.NaN : x / (1 + Math.abs(x))),
  Tanh: Math.tanh,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
}

/** Rounds to a half float. */
type Round = (x: number) => number

/** The same in half floats, where Eigen rounds after each step. */
const STEPWISE: Readonly<Record<string, (x: number, alpha: number, round: Round, dtype: DType) => number>> = {
  Elu: (x, _, round) => (x < 0 ? round(Math.exp(x)) - 1 : x),
  Selu: (x, _, round) => (x < 0 ? round(SELU_SCALE_ALPHA) * round(round(Math.exp(x)) - 1) : round(SELU_SCALE) * x),
  LeakyRelu: (x, alpha, round) => (x < 0 ? x * round(alpha) : x),
  Softsign: (x, _, round) => x / round(1 + Math.abs(x)),
  Softplus: (x, _, round, dtype) => {
    const limit = round(round(Math.log(dtype === 'float16' ? 2 ** -13 : 2 ** -7)) + 2)
    if (x > -limit) return x
    const power = round(Math.exp(x))
    return x < limit ? power : Math.log1p(power)
  },
}

/** Activation `name` as an op of one input, with `alpha` where it has one. */
export const activation = (name: string, alpha: (attrs: Attrs) => number = () => 0): Op =>
  floats({
    evaluate(call) {
      const [slope, { dtype }] = [alpha(call.attrs), call.inputs[0]]
      const steps = dtype === 'float16' || dtype === 'bfloat16' ? STEPWISE[name] : undefined
      if (steps === undefined) return unary((x) => ACTIVATIONS[name](x, slope)).evaluate(call)
      const cell = new Float32Array(1)
      const round = (x: number) => {
        cell[0] = x
        return rounded(dtype, cell)[0]
      }
      return unary((x) => steps(x, slope, round, dtype)).evaluate(call)
    },
  })

/** `op`, refusing inputs that are not of a float type. */
export const floats = (op: Op): Op => ({
  evaluate(call) {
    const { dtype } = call.inputs[0]
    if (!isFloat(dtype)) throw new TypeError(`input 0 must be of a float type, got ${dtype}`)
    return op.evaluate(call)
  },
})
