import { describe } from 'vitest'
import { ops } from '../../../src/ops/linear.ts'
import { goldenOps } from './goldens.ts'

describe('matrix products, biases and Einsum', () => goldenOps('linear', ops))
