import { describe } from 'vitest'
import { ops } from '../../../src/ops/scan.ts'
import { goldenOps } from './goldens.ts'

describe('running totals', () => goldenOps('scan', ops))
