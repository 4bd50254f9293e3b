import { describe } from 'vitest'
import { loadAllOps } from '../../../src/ops/all.ts'
import { goldenChains } from './chains.ts'
import { goldenOps } from './goldens.ts'

const ops = Object.fromEntries(await loadAllOps())

describe('edges of strings and numbers', () => goldenOps('edges', ops))
describe('every op with edges for values', () => goldenOps('replaced', ops))
describe('edges in chains of ops', () => goldenChains('edges', ops))
