import { describe } from 'vitest'
import { ops as shape } from '../../../src/ops/shape.ts'
import { ops as vectors } from '../../../src/ops/shapevectors.ts'
import { goldenOps } from './goldens.ts'

describe('shapes', () => goldenOps('shape', { ...shape, ...vectors }))
