import { describe } from 'vitest'
import { ops } from '../../../src/ops/sparse.ts'
import { goldenOps } from './goldens.ts'

describe('ops on sparse tensors', () => goldenOps('sparse', ops))
