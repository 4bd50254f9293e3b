import { describe } from 'vitest'
import { ops } from '../../../src/ops/datasets.ts'
import { ops as optionals } from '../../../src/ops/optionals.ts'
import { goldenChains } from './chains.ts'

describe('ops on datasets', () => goldenChains('datasets', { ...ops, ...optionals }))
