import { describe } from 'vitest'
import { ops } from '../../../src/ops/segment.ts'
import { goldenOps } from './goldens.ts'

describe('segments', () => goldenOps('segment', ops))
