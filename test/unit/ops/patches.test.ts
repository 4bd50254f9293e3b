import { describe } from 'vitest'
import { ops } from '../../../src/ops/patches.ts'
import { goldenOps } from './goldens.ts'

describe('patches of images', () => goldenOps('patches', ops))
