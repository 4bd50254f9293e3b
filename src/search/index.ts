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
export { Explainer, type Explanation } from './explain.ts'
export { filterOf } from './filterjson.ts'
export { ParallelIndex, type ParallelOptions, type ShardThread } from './parallel.ts'
export { Shard, type ShardData, type ShardQuery, type ShardReply } from './shard.ts'
