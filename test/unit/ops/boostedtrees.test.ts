import { describe } from 'vitest'
import { ops } from '../../../src/ops/buckets.ts'
import { goldenOps } from './goldens.ts'

describe('buckets of boosted trees', () => goldenOps('boostedtrees', ops))
