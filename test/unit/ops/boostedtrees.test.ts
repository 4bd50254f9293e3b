import { describe } from 'vitest'
import { ops } from '../../../src/ops/bins.ts'
import { goldenOps } from './goldens.ts'

describe('buckets of boosted trees', () => goldenOps('boostedtrees', ops))
