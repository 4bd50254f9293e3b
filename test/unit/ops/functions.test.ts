import { describe } from 'vitest'
import { ops as bessel } from '../../../src/ops/bessel.ts'
import { ops as integrals } from '../../../src/ops/integrals.ts'
import { goldenOps } from './goldens.ts'

describe('Bessel functions', () => goldenOps('bessel', bessel))
describe('functions that are integrals', () => goldenOps('integrals', integrals))
