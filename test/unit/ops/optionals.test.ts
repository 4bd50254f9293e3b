import { describe } from 'vitest'
import { ops } from '../../../src/ops/optionals.ts'
import { goldenChains } from './chains.ts'

describe('ops on optionals', () => goldenChains('optionals', ops))
