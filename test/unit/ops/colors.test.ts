import { describe } from 'vitest'
import { ops } from '../../../src/ops/colors.ts'
import { goldenOps } from './goldens.ts'

describe('colours of images', () => goldenOps('colors', ops))
