import { describe } from 'vitest'
import { ops as slices } from '../../../src/ops/slices.ts'
import { ops as splits } from '../../../src/ops/splits.ts'
import { goldenOps } from './goldens.ts'

describe('slices and joins', () => goldenOps('slices', { ...slices, ...splits }))
