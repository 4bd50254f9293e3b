import { describe, expect, test } from 'vitest'
import { Attrs } from '../../../src/graph/index.ts'
import { ops as boxes } from '../../../src/ops/boxes.ts'
import { ops as conv } from '../../../src/ops/conv.ts'
import { ops as ctc } from '../../../src/ops/ctc.ts'
import { ops as decompositions } from '../../../src/ops/decompositions.ts'
import { ops as editdistance } from '../../../src/ops/editdistance.ts'
import { ops as joins } from '../../../src/ops/joins.ts'
import { ops as math } from '../../../src/ops/math.ts'
import { ops as older } from '../../../src/ops/older.ts'
import { ops as patches } from '../../../src/ops/patches.ts'
import { ops as projection } from '../../../src/ops/projection.ts'
import { ops as quantize } from '../../../src/ops/quantize.ts'
import { ops as recurrentcells } from '../../../src/ops/recurrentcells.ts'
import { ops as resize } from '../../../src/ops/resize.ts'
import { ops as segment } from '../../../src/ops/segment.ts'
import { ops as serialized } from '../../../src/ops/serialized.ts'
import { ops as sparse } from '../../../src/ops/sparse.ts'
import { ops as sparsematmul } from '../../../src/ops/sparsematmul.ts'
import { ops as special } from '../../../src/ops/special.ts'
import { ops as tridiagonal } from '../../../src/ops/tridiagonal.ts'
import { tensor } from '../../../src/tensor/index.ts'
import { goldenOps } from './goldens.ts'

describe('boxes', () => goldenOps('boxes', boxes))
describe('edit distances', () => goldenOps('editdistance', editdistance))
describe('decoders of sequences', () => goldenOps('ctc', ctc))
describe('matrices taken apart', () => goldenOps('decompositions', decompositions))
describe('matrices of three diagonals', () => goldenOps('tridiagonal', tridiagonal))
describe('transformed images', () => goldenOps('projection', projection))
describe('ops that others have replaced', () => goldenOps('older', older))
describe('cells of recurrent networks', () => goldenOps('recurrentcells', recurrentcells))
describe('products of matrices of many zeros', () => goldenOps('sparsematmul', sparsematmul))
describe('rare ones of other families', () =>
  goldenOps('rare', {
    ...joins,
    ...math,
    ...patches,
    ...quantize,
    ...segment,
    ...resize,
    ...conv,
    ...serialized,
    ...sparse,
    ...special,
  }))

test('what hangs on roundings in TensorFlow is refused', () => {
  const evaluate = (op: string, attrs: Attrs) => {
    const inputs = [tensor('float32', [3, 3], Float32Array.of(1, 2, 1, 1, 2, 0, 1, 2, 3))]
    const node = { name: 'case', op, attrs, inputs: [], controls: [] }
    return decompositions[op].evaluate({ inputs, attrs, node, files: new Map(), run: () => [] })
  }
  expect(() => evaluate('Svd', Attrs.none)).toThrow('singular vectors have either sign')
  expect(() => evaluate('SelfAdjointEigV2', Attrs.none)).toThrow('eigenvectors have either sign')
  expect(() => evaluate('Qr', Attrs.none)).toThrow('the columns of a matrix depend on each other')
})
