import { describe } from 'vitest'
import { ops } from '../../../src/ops/rank.ts'
import { goldenOps } from './goldens.ts'

describe('the largest and the smallest', () => goldenOps('rank', ops))
