import { describe } from 'vitest'
import { ops } from '../../../src/ops/phrases.ts'
import { goldenOps } from './goldens.ts'

describe('phrases', () => goldenOps('phrases', ops))
