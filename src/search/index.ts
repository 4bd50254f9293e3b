/// <reference path="../globals.ts" preserve="true" />
export { compileKernels } from '../engine/variants.ts'
export type { Named } from './approximate/leafscan.ts'
export type { ApproximateOptions, PartitionOptions } from './approximate/options.ts'
export {
  type CandidateOptions,
  type PartitionArrays,
  type PartitionStats,
  Partitions,
} from './approximate/partitions.ts'
export { rankApproximately } from './approximate/rank.ts'
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
export { type BuildOptions, type IndexStats, ItemIndex, type ItemIndexOptions, type OpenOptions } from './itemindex.ts'
export { ParallelIndex, type ParallelOptions, type ShardThread } from './parallel.ts'
export { Shard, type ShardData, type ShardQuery, type ShardReply } from './shard.ts'
