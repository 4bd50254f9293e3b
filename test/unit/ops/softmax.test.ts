import { describe } from 'vitest'
import { ops } from '../../../src/ops/softmax.ts'
import { goldenOps } from './goldens.ts'

describe('softmax and its losses', () => goldenOps('softmax', ops))
