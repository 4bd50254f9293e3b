import { describe } from 'vitest'
import { ops } from '../../../src/ops/labelling.ts'
import { goldenOps } from './goldens.ts'

describe('label sequences', () => goldenOps('labelling', ops))
