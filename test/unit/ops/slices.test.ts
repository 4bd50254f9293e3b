import { describe } from 'vitest'
import { ops } from '../../../src/ops/slices.ts'
import { goldenOps } from './goldens.ts'

describe('slices and joins', () => goldenOps('slices', ops))
