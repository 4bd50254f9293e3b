// The families that nearly every tower with vocabularies and text needs. They come with the engine, because a file of its
// own costs more to fetch, open and link than what is in it; the others are loaded for the models that need them.
import { ops as bins } from './bins.ts'
import { ops as cast } from './cast.ts'
import { ops as fused } from './fused.ts'
import { ops as gather } from './gather.ts'
import { ops as hashing } from './hashing.ts'
import { ops as math } from './math.ts'
import { ops as pooling } from './pooling.ts'
import { ops as reduce } from './reduce.ts'
import { ops as select } from './select.ts'
import { ops as shape } from './shape.ts'
import { ops as slices } from './slices.ts'
import { ops as tables } from './tables.ts'
import { ops as wordIds } from './wordids.ts'

export const CORE = {
  bins,
  hashing,
  cast,
  math,
  shape,
  slices,
  gather,
  reduce,
  select,
  fused,
  pooling,
  tables,
  wordIds,
} as const
