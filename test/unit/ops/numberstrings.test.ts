import { describe } from 'vitest'
import { ops } from '../../../src/ops/numberstrings.ts'
import { goldenOps } from './goldens.ts'

describe('numberstrings', () => goldenOps('numberstrings', ops))
