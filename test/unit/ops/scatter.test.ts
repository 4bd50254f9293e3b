import { describe } from 'vitest'
import { ops } from '../../../src/ops/scatter.ts'
import { goldenOps } from './goldens.ts'

describe('scattering, partitions and stitches', () => goldenOps('scatter', ops))
