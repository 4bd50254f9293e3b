import { describe } from 'vitest'
import { ops } from '../../../src/ops/gradients.ts'
import { goldenOps } from './goldens.ts'

describe('gradients', () => goldenOps('gradients', ops))
