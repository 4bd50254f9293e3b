import { describe } from 'vitest'
import { ops } from '../../../src/ops/shape.ts'
import { goldenOps } from './goldens.ts'

describe('shapes', () => goldenOps('shape', ops))
