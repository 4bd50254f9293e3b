// f32 kernels on the host's memory: pointers are byte offsets, sizes are counts of elements. The module imports its memory,
// keeps nothing in it and allocates nothing. Rows and matrices are contiguous unless a stride says otherwise; any
// multiple of 4 is an allowed address, 64 the fast one. `src/engine/kernels.ts` is the typed face of this list.
export * from './core'
export { encodePairs, rowArgMax, scanCodes } from './codes'
export { packPanels } from './dense'
export { denseInt8 } from './denseInt8'
export { matmul } from './matmul'
export { erfc, gelu, geluTanh, softsign, swish } from './unary'
export { layerNorm } from './norm'
export { rowSumSquares } from './reduce'
export { gatherRows } from './pool'
export { pairsBytes } from './products'
export { rowCosine, rowDot, rowSquaredDistance } from './similarity'
export { layNibbles, listBits, scanNibbles } from './nibbles'
export { maskScores, scanBytes, scanListed, withinReach } from './scan'
export { runSteps } from './steps'
export { layWindows, slideWindows } from './windows'
export { topk, topkPush, topkSort } from './topk'
