import { describe } from 'vitest'
import { ops } from '../../../src/ops/hashing.ts'
import { goldenOps } from './goldens.ts'

describe('hash buckets', () => goldenOps('hashing', ops))
