import { describe } from 'vitest'
import { ops as bins } from '../../../src/ops/bins.ts'
import { ops as buckets } from '../../../src/ops/buckets.ts'
import { goldenOps } from './goldens.ts'

describe('bins', () => goldenOps('bins', { ...bins, ...buckets }))
