import { describe } from 'vitest'
import { ops } from '../../../src/ops/unique.ts'
import { goldenOps } from './goldens.ts'

describe('what is there', () => goldenOps('unique', ops))
