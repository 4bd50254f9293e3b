import { describe } from 'vitest'
import { ops } from '../../../src/ops/fastsentencepiece.ts'
import { goldenOps } from './goldens.ts'

describe('fast SentencePiece', () => goldenOps('fastsentencepiece', ops))
