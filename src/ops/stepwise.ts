import type { Attrs, Op } from '../graph/index.ts'
import { type DType, isFloat, isHalf, rounded } from '../tensor/index.ts'
import { ACTIVATIONS, SELU_SCALE, SELU_SCALE_ALPHA } from './activations.ts'
import { unary } from './elementwise.ts'

// Activations as ops of their own, which in half floats are rounded after each step.

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
      const steps = isHalf(dtype) ? STEPWISE[name] : undefined
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
