import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { sameShape } from '../tensor/index.ts'
import { SELU_SCALE, SELU_SCALE_ALPHA } from './activations.ts'
import { binary } from './elementwise.ts'
import { floats } from './stepwise.ts'

// Gradients element by element, after core/kernels/{cwise_ops_gradients,relu_op_functor,softplus_op,softsign_op}.h: exports that
// explain or adapt themselves keep them.

/** Rounds as the dtype does after each step. */
type Round = (x: number) => number
type Gradient = (a: number, b: number, round: Round, alpha: number) => number

/** Of two tensors of one shape. */
const gradient = (of: Gradient, alpha: (attrs: Attrs) => number = () => 0): Op =>
  floats({
    evaluate(call) {
      const [a, b] = call.inputs
      if (!sameShape(a.shape, b.shape))
        throw new InvalidArgumentError(`a gradient is of two tensors of one shape, got [${a.shape}] and [${b.shape}]`)
      const slope = alpha(call.attrs)
      const round: Round = a.dtype === 'float64' ? (x) => x : Math.fround
      return binary((x, y) => of(x, y, round, slope)).evaluate(call)
    },
  })

/** Of what the function made, y, and what comes back to it, dy: nothing comes of nothing, even where y is infinite. */
const ofResult = (of: (y: number, dy: number, round: Round) => number): Op =>
  gradient((y, dy, round) => (dy === 0 ? 0 : of(y, dy, round)))

const reciprocal = ofResult((y, dy, round) => round(-y * y) * dy)

export const ops: Readonly<Record<string, Op>> = {
  TanhGrad: gradient((y, dy, round) => dy * round(1 - round(y * y))),
  SigmoidGrad: gradient((y, dy, round) => round(y * round(1 - y)) * dy),
  SqrtGrad: ofResult((y, dy, round) => round(dy * 0.5) / y),
  RsqrtGrad: ofResult((y, dy, round) => round(-0.5 * round(dy * y)) * round(y * y)),
  ReciprocalGrad: reciprocal,
  InvGrad: reciprocal,
  ReluGrad: gradient((g, x) => g * (x > 0 ? 1 : 0)),
  Relu6Grad: gradient((g, x) => g * (x > 0 && x < 6 ? 1 : 0)),
  LeakyReluGrad: gradient(
    (g, x, _, alpha) => (x > 0 ? g : g * alpha),
    (attrs) => attrs.number('alpha', 0.2),
  ),
  // Both are told by what the activation made.
  EluGrad: gradient((g, y) => (y < 0 ? g * (y + 1) : g)),
  SeluGrad: gradient((g, y) => (y < 0 ? g * (y + SELU_SCALE_ALPHA) : g * SELU_SCALE)),
  SoftplusGrad: gradient((g, x) => g / (Math.exp(-x) + 1)),
  SoftsignGrad: gradient((g, x, round) => g / round((1 + Math.abs(x)) ** 2)),
}
