// f32 kernels on the host's memory: pointers are byte offsets, sizes are counts of elements. The module imports its memory,
// keeps nothing in it and allocates nothing. Rows and matrices are contiguous unless a stride says otherwise; any
// multiple of 4 is an allowed address, 64 the fast one. `src/engine/kernels.ts` is the typed face of this list.
export { dense } from './dense'
export { denseInt8 } from './denseInt8'
export { matmul } from './matmul'
export {
  abs, ceil, elu, erf, exp, floor, gelu, geluTanh, leakyRelu, log, log1p, neg, reciprocal, relu, relu6, rint, rsqrt, selu,
  sigmoid, softplus, softsign, sqrt, square, swish, tanh,
} from './unary'
export { add, copyRows, div, maximum, minimum, mul, squaredDifference, sub } from './binary'
export { crc32c } from './checksum'
export { hashBuckets } from './farmhash'
export { logSoftmax, softmax } from './softmax'
export { l2Normalize, layerNorm } from './norm'
export { rowMax, rowMean, rowMin, rowSum, rowSumSquares } from './reduce'
export { gatherRows, poolRows } from './pool'
export { pairsBytes } from './products'
export { rowCosine, rowDot, rowSquaredDistance } from './similarity'
export { scanBytes, withinReach } from './scan'
export { layWindows, slideWindows } from './windows'
export { topk, topkPush, topkSort } from './topk'
