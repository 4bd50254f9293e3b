import { describe } from 'vitest'
import { ops as padding } from '../../../src/ops/padding.ts'
import { ops } from '../../../src/ops/ragged.ts'
import { ops as shape } from '../../../src/ops/shape.ts'
import { goldenChains } from './chains.ts'
import { goldenOps } from './goldens.ts'

describe('ops on ragged tensors', () => {
  goldenOps('ragged', { ...ops, ...padding })
  goldenChains('ragged', { ...shape, ...padding, ...ops })
})
