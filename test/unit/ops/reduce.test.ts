import { describe } from 'vitest'
import { ops } from '../../../src/ops/reduce.ts'
import { ops as losses } from '../../../src/ops/softmax.ts'
import { ops as squares } from '../../../src/ops/squares.ts'
import { goldenOps } from './goldens.ts'

describe('reductions', () => goldenOps('reduce', { ...ops, ...squares, ...losses }))
