import { describe } from 'vitest'
import { ops } from '../../../src/ops/tensorarrays.ts'
import { goldenChains } from './chains.ts'

describe('ops on tensor arrays', () => goldenChains('tensorarrays', ops))
