import { describe } from 'vitest'
import { ops as cast } from '../../../src/ops/cast.ts'
import { ops as math } from '../../../src/ops/math.ts'
import { ops as nn } from '../../../src/ops/nn.ts'
import { ops as softmax } from '../../../src/ops/softmax.ts'
import { ops as special } from '../../../src/ops/special.ts'
import { goldenChains } from './chains.ts'

describe('activations of half floats', () =>
  goldenChains('halves', { ...cast, ...math, ...nn, ...softmax, ...special }))
