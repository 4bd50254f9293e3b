import { describe } from 'vitest'
import { ops } from '../../../src/ops/arrange.ts'
import { goldenOps } from './goldens.ts'

describe('rearranging', () => goldenOps('arrange', ops))
