import { describe } from 'vitest'
import { ops } from '../../../src/ops/reduce.ts'
import { ops as losses } from '../../../src/ops/softmax.ts'
import { goldenOps } from './goldens.ts'

describe('reductions', () => goldenOps('reduce', { ...ops, ...losses }))
