import { describe } from 'vitest'
import { ops as bits } from '../../../src/ops/bits.ts'
import { ops as cast } from '../../../src/ops/cast.ts'
import { ops as math } from '../../../src/ops/math.ts'
import { ops as special } from '../../../src/ops/special.ts'
import { goldenOps } from './goldens.ts'

describe('elementwise ops', () => goldenOps('math', { ...math, ...cast, ...special, ...bits }))
