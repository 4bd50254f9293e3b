import { describe } from 'vitest'
import { ops } from '../../../src/ops/unicode.ts'
import { goldenOps } from './goldens.ts'

describe('text and code points', () => goldenOps('unicode', ops))
