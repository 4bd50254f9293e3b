import { describe } from 'vitest'
import { ops } from '../../../src/ops/diagonals.ts'
import { goldenOps } from './goldens.ts'

describe('diagonals', () => goldenOps('diagonals', ops))
