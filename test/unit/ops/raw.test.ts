import { describe } from 'vitest'
import { ops } from '../../../src/ops/raw.ts'
import { ops as serialized } from '../../../src/ops/serialized.ts'
import { goldenOps } from './goldens.ts'

describe('strings whose bytes are numbers or tensors', () => goldenOps('raw', { ...ops, ...serialized }))
