import { describe } from 'vitest'
import { ops as cast } from '../../../src/ops/cast.ts'
import { ops as conv } from '../../../src/ops/conv.ts'
import { ops as linear } from '../../../src/ops/linear.ts'
import { ops as math } from '../../../src/ops/math.ts'
import { ops as nn } from '../../../src/ops/nn.ts'
import { ops as reduce } from '../../../src/ops/reduce.ts'
import { ops as scan } from '../../../src/ops/scan.ts'
import { ops as segment } from '../../../src/ops/segment.ts'
import { ops as shape } from '../../../src/ops/shape.ts'
import { ops as vectors } from '../../../src/ops/shapevectors.ts'
import { ops as softmax } from '../../../src/ops/softmax.ts'
import { ops as sparse } from '../../../src/ops/sparse.ts'
import { ops as special } from '../../../src/ops/special.ts'
import { ops as splits } from '../../../src/ops/splits.ts'
import { ops as squares } from '../../../src/ops/squares.ts'
import { goldenChains } from './chains.ts'

describe('half floats', () =>
  goldenChains('halves', {
    ...cast,
    ...linear,
    ...conv,
    ...math,
    ...nn,
    ...reduce,
    ...squares,
    ...scan,
    ...segment,
    ...shape,
    ...softmax,
    ...sparse,
    ...special,
    ...splits,
    ...vectors,
  }))
