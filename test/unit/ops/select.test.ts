import { describe } from 'vitest'
import { ops as select } from '../../../src/ops/select.ts'
import { ops as where } from '../../../src/ops/where.ts'
import { goldenOps } from './goldens.ts'

describe('choosing', () => goldenOps('select', { ...select, ...where }))
