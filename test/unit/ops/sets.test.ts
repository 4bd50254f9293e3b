import { describe } from 'vitest'
import { ops } from '../../../src/ops/sets.ts'
import { goldenOps } from './goldens.ts'

describe('set operations', () => goldenOps('sets', ops))
