import { describe } from 'vitest'
import { ops } from '../../../src/ops/statistics.ts'
import { goldenOps } from './goldens.ts'

describe('functions of statistics', () => goldenOps('statistics', ops))
