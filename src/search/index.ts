export { compileKernels } from '../engine/variants.ts'
export { ExactIndex, type Neighbors } from './exact.ts'
