import { describe } from 'vitest'
import { ops as gather } from '../../../src/ops/gather.ts'
import { ops as gathernd } from '../../../src/ops/gathernd.ts'
import { goldenOps } from './goldens.ts'

describe('gathering', () => goldenOps('gather', { ...gather, ...gathernd }))
