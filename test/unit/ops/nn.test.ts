import { describe } from 'vitest'
import { ops } from '../../../src/ops/nn.ts'
import { goldenOps } from './goldens.ts'

describe('neural-network ops', () => goldenOps('nn', ops))
