import { describe } from 'vitest'
import { ops as hashing } from '../../../src/ops/hashing.ts'
import { ops as others } from '../../../src/ops/otherhashes.ts'
import { goldenOps } from './goldens.ts'

describe('hash buckets', () => goldenOps('hashing', { ...hashing, ...others }))
