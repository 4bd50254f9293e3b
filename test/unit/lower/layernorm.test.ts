import { describe, expect, test } from 'vitest'
import { Program, type Value } from '../../../src/graph/index.ts'
import { fuseLayerNorm } from '../../../src/lower/layernorm.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import { float, floats, held, input, ints, op, signature } from '../graph/build.ts'

// Each form in which exports hold the layer, as one op and as it was, on the same rows.

const ops = await loadAllOps()
const gamma = floats([3], 0.5, -2, 1.5)
const beta = floats([3], 0.1, 0, -0.7)
const EPSILON = 1e-3

/** Lowers `make` of x, holds both graphs against each other, and gives the ops that are left. */
function fused(make: (x: Value) => Value, cases: readonly Tensor[]): string[] {
  const x = input('x')
  const { graph } = signature('serving_default', [x], { out: [make(x), null] })
  const lowered = fuseLayerNorm(graph)
  for (const given of cases) {
    const [wanted] = new Program(graph, ops).run([given])
    const [got] = new Program(lowered, ops).run([given])
    expect(got.shape).toEqual(wanted.shape)
    const values = got.data as Float32Array
    ;(wanted.data as Float32Array).forEach((value, i) => {
      if (Number.isNaN(value)) expect(values[i]).toBeNaN()
      else expect(values[i]).toBeCloseTo(value, 5)
    })
  }
  return lowered.outputs.map(({ node }) => node.op)
}

const numbers = (...shape: number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 7 + 1)),
  )
const EXTREMES = tensor(
  'float32',
  [5, 3],
  Float32Array.of(...[Number.POSITIVE_INFINITY, 1, 2, Number.NaN, 1, 2, 0, 0, 0, -0, 0, -0], ...[1e-40, -1e-40, 0]),
)

const one = (value: number): Value => held(tensor('int32', [1], Int32Array.of(value)))

/** Keras 2: the rows are channels of one image. `axis` is the first of the row. */
const ofImage =
  (axis: number, scale = 1) =>
  (x: Value): Value => {
    const shape = op('Shape', [x])
    const slice = (begin: number, end: number, masks: Readonly<Record<string, number>>) =>
      op('Prod', [op('StridedSlice', [shape, one(begin), one(end), one(1)], masks), one(0)])
    const [before, after] = [slice(0, axis, { begin_mask: 1 }), slice(axis, 0, { end_mask: 1 })]
    const rows = op('Reshape', [x, op('Pack', [ints(1), before, after, ints(1)])])
    const filled = (value: number) => op('Fill', [op('Pack', [before]), float(value)])
    const image = op('FusedBatchNormV3', [rows, filled(scale), filled(0), floats([0]), floats([0])], {
      data_format: 'NCHW',
      is_training: true,
      epsilon: EPSILON,
    })
    return op('AddV2', [op('Mul', [op('Reshape', [image, shape]), gamma]), beta])
  }

const moments = (x: Value, axis: number): { mean: Value; inverse: Value } => {
  const mean = op('Mean', [x, ints(axis)], { keep_dims: true })
  const variance = op('Mean', [op('SquaredDifference', [x, mean]), ints(axis)], { keep_dims: true })
  return { mean, inverse: op('Mul', [op('Rsqrt', [op('AddV2', [variance, float(EPSILON)])]), gamma]) }
}

const ofKeras2 =
  (axis: number) =>
  (x: Value): Value => {
    const { mean, inverse } = moments(x, axis)
    return op('AddV2', [op('Mul', [x, inverse]), op('Sub', [beta, op('Mul', [mean, inverse])])])
  }

const ofKeras3 =
  (axis: number) =>
  (x: Value): Value => {
    const { mean, inverse } = moments(x, axis)
    const shift = op('AddV2', [op('Mul', [op('Neg', [mean]), inverse]), beta])
    return op('AddV2', [op('Mul', [x, inverse]), shift])
  }

describe('layer normalisation', () => {
  const forms = [
    ['as an image', ofImage(1), numbers(5, 3)],
    ['as an image, of sequences', ofImage(2), numbers(2, 4, 3)],
    ['of moments', ofKeras2(-1), numbers(2, 4, 3)],
    ['of moments, the mean negated', ofKeras3(-1), numbers(2, 4, 3)],
  ] as const
  test.each(forms)('%s is one op', (_, make, rows) => {
    expect(fused(make, [rows])).toEqual(['twotower>LayerNorm'])
  })

  test.each([ofImage(1), ofKeras2(-1), ofKeras2(1), ofKeras3(-1)])(
    'of what is none, not finite or denormal',
    (make) => {
      expect(fused(make, [EXTREMES, tensor('float32', [0, 3], new Float32Array(0))])).toEqual(['twotower>LayerNorm'])
    },
  )

  test.each([ofKeras2(-1), ofKeras3(-1)])('of squares that overflow is beta', (make) => {
    const x = tensor('float32', [1, 3], Float32Array.of(2e19, -2e19, 1e19))
    expect(fused(make, [x])).toEqual(['twotower>LayerNorm'])
    expect(new Program(signature('s', [], { out: [make(held(x)), null] }).graph, ops).run([])).toEqual([
      tensor('float32', [1, 3], Float32Array.of(0.1, 0, -0.7)),
    ])
  })

  test('over the axes that the graph names, the last or not', () => {
    expect(fused(ofKeras3(1), [numbers(2, 4, 3), numbers(2, 3)])).toEqual(['twotower>LayerNorm'])
    expect(fused(ofKeras2(0), [numbers(4, 3)])).toEqual(['twotower>LayerNorm'])
  })

  test('stays what it is where the rows are scaled before, or something else than its own mean is taken away', () => {
    expect(fused(ofImage(1, 2), [numbers(5, 3)])).toEqual(['AddV2'])
    const other = (x: Value): Value => {
      const { inverse } = moments(x, -1)
      return op('AddV2', [op('Mul', [x, inverse]), op('Sub', [beta, op('Mul', [x, inverse])])])
    }
    expect(fused(other, [numbers(5, 3)])).toEqual(['AddV2'])
  })
})
