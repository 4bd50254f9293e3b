import { describe } from 'vitest'
import { ops as argmax } from '../../../src/ops/argmaxpooling.ts'
import { ops as patches } from '../../../src/ops/patches.ts'
import { goldenOps } from './goldens.ts'

describe('patches of images', () => goldenOps('patches', { ...argmax, ...patches }))
