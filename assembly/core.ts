// The kernels that nearly every tower needs: a module of their own, because every page downloads it. The rest is in
// index.ts, which has these too.
export { dense } from './dense'
export {
  abs, ceil, elu, exp, floor, leakyRelu, log, log1p, neg, reciprocal, relu, relu6, rint, rsqrt, selu, sigmoid,
  softplus, sqrt, square, tanh,
} from './unary'
export { add, copyRows, div, divNoNan, maximum, minimum, mul, squaredDifference, sub } from './binary'
export { xxh32 } from './checksum'
export { hashBuckets } from './farmhash'
export { l2Normalize } from './norm'
export { rowMean, rowSum } from './reduce'
export { poolRows } from './pool'
