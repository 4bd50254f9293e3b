import { describe } from 'vitest'
import { ops } from '../../../src/ops/matrices.ts'
import { goldenOps } from './goldens.ts'

describe('matrices inverted and solved', () => goldenOps('matrices', ops))
