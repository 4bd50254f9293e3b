import { describe } from 'vitest'
import { ops } from '../../../src/ops/regexes.ts'
import { goldenOps } from './goldens.ts'

describe('regexes', () => goldenOps('regexes', ops))
