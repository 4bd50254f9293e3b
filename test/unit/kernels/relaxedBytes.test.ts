import { setFlagsFromString } from 'node:v8'
import { describe } from 'vitest'
import { LOADS } from '../../../src/engine/kernels.ts'
import { denseInt8Cases } from './denseInt8.ts'
import { scanNibblesCases } from './scanNibbles.ts'

// The baseline compiler of Node 20's V8 computes relaxed_dot_i8x16_i7x16_add wrongly, wherefore pairsBytes is 1 there.
setFlagsFromString('--no-liftoff')

describe('denseInt8, relaxed, in bytes', () => denseInt8Cases('relaxed', 0))
describe('denseInt8, relaxed, in bytes, where loads are checked', () => denseInt8Cases('relaxed', 0, LOADS.checked))

describe('scanNibbles, relaxed, in bytes', () => scanNibblesCases('relaxed', 0))
