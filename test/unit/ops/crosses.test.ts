import { describe } from 'vitest'
import { ops } from '../../../src/ops/crosses.ts'
import { goldenOps } from './goldens.ts'

describe('feature crosses', () => goldenOps('crosses', ops))
