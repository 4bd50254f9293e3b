import { describe } from 'vitest'
import { ops } from '../../../src/ops/spanning.ts'
import { goldenOps } from './goldens.ts'

describe('spanning trees', () => goldenOps('spanning', ops))
