import { describe } from 'vitest'
import { ops } from '../../../src/ops/quantize.ts'
import { goldenOps } from './goldens.ts'

describe('rounding to levels', () => goldenOps('quantize', ops))
