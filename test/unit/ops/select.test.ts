import { describe } from 'vitest'
import { ops } from '../../../src/ops/select.ts'
import { goldenOps } from './goldens.ts'

describe('choosing', () => goldenOps('select', ops))
