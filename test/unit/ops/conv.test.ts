import { describe } from 'vitest'
import { ops } from '../../../src/ops/conv.ts'
import { goldenOps } from './goldens.ts'

describe('convolutions and pooling', () => goldenOps('conv', ops))
