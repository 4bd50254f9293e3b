/** An activation of one number; `alpha` is the slope of LeakyRelu below zero. */
export type Activation = (x: number, alpha: number) => number

export const SELU_SCALE = 1.0507009873554805
export const SELU_SCALE_ALPHA = 1.7580993408473768

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
  Softsign: (x) => (Math.abs(x) === Infinity ? Number.NaN : x / (1 + Math.abs(x))),
  Tanh: Math.tanh,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
}
