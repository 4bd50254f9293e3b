import { describe } from 'vitest'
import { ops } from '../../../src/ops/math.ts'
import { goldenOps } from './goldens.ts'

describe('elementwise ops', () => goldenOps('math', ops))
