export { compileKernels } from '../engine/variants.ts'
export { type AttributeStats, Attributes } from './attributes.ts'
export type {
  Comparison,
  Datapoint,
  Filter,
  NumericCondition,
  NumericRestrict,
  Restrict,
  SearchOptions,
} from './datapoint.ts'
export { ExactIndex, type ExactIndexOptions, type Neighbors } from './exact.ts'
