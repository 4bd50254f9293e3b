import { describe } from 'vitest'
import { ops } from '../../../src/ops/ragged.ts'
import { ops as shape } from '../../../src/ops/shape.ts'
import { goldenChains } from './chains.ts'
import { goldenOps } from './goldens.ts'

describe('ops on ragged tensors', () => {
  goldenOps('ragged', ops)
  goldenChains('ragged', { ...shape, ...ops })
})
