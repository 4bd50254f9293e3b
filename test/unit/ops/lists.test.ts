import { describe } from 'vitest'
import { ops } from '../../../src/ops/lists.ts'
import { goldenChains } from './chains.ts'

describe('ops on lists of tensors', () => goldenChains('lists', ops))
