import { describe } from 'vitest'
import { ops } from '../../../src/ops/gather.ts'
import { goldenOps } from './goldens.ts'

describe('gathering', () => goldenOps('gather', ops))
