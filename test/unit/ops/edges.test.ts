import { describe } from 'vitest'
import { loadAllOps } from '../../../src/ops/index.ts'
import { goldenOps } from './goldens.ts'

const ops = Object.fromEntries(await loadAllOps())

describe('edges of strings and numbers', () => goldenOps('edges', ops))
