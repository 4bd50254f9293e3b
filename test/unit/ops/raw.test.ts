import { describe } from 'vitest'
import { ops } from '../../../src/ops/raw.ts'
import { goldenOps } from './goldens.ts'

describe('bytes as numbers', () => goldenOps('raw', ops))
