import { describe } from 'vitest'
import { ops } from '../../../src/ops/resize.ts'
import { goldenOps } from './goldens.ts'

describe('resizing', () => goldenOps('resize', ops))
