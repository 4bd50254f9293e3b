import { describe, expect, test } from 'vitest'
import { type Node, Program, type Value } from '../../../src/graph/index.ts'
import { lower } from '../../../src/lower/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import { held, input, ints, op, signature } from '../graph/build.ts'

const ops = await loadAllOps()

const matrix = (rows: number, width: number, seed = 1): Tensor =>
  tensor(
    'float32',
    [rows, width],
    Float32Array.from({ length: rows * width }, (_, i) => (Math.imul(i + seed, 0x9e3779b1) >>> 0) / 2 ** 31 - 1),
  )

/** The nodes of `make` of an input of k columns, lowered with and without int8, and both programs. */
function lowered(k: number, make: (x: Value) => Value) {
  const x = { ...input('x'), dtype: 'float32' as const, shape: [null, k] }
  const made = signature('serving_default', [x], { out: [make(x), null] })
  const definition = {
    source: 'test',
    signatures: [{ ...made, inputs: [{ name: 'x', dtype: x.dtype, shape: x.shape }] }],
    towers: { query: null, candidate: null, similarity: null, joint: null, notes: [] },
  }
  const [floats, bytes] = (['float32', 'int8'] as const).map((type) => lower(definition, ops, type).signatures[0].graph)
  return { bytes, floats }
}

const layers = (nodes: readonly Node[]): string[] => nodes.map((node) => node.op).filter((name) => /Dense/.test(name))

describe('dense layers in bytes', () => {
  const weights = held(matrix(70, 64))
  const bias = held(tensor('float32', [64], new Float32Array(64).fill(0.25)))
  const layer = (x: Value) => op('Relu', [op('BiasAdd', [op('MatMul', [x, weights]), bias])])

  test('are made where int8 is asked for, and take bias and activation along', () => {
    const { bytes, floats } = lowered(70, layer)
    expect(layers(floats.nodes)).toEqual(['twotower>Dense'])
    expect(layers(bytes.nodes)).toEqual(['twotower>DenseInt8'])
    const x = matrix(3, 70, 5)
    const [near, exact] = [bytes, floats].map((graph) => new Program(graph, ops).run([x])[0].data as Float32Array)
    const largest = exact.reduce((most, value) => Math.max(most, value), 0)
    exact.forEach((value, i) => {
      expect(Math.abs(near[i] - value)).toBeLessThan(0.02 * largest)
    })
    expect(near).not.toEqual(exact)
  })

  test('leave no weights in floats behind', () => {
    const { bytes } = lowered(70, layer)
    const sizes = bytes.nodes.filter((node) => node.op === 'Const').map((node) => node.attrs.tensor('value'))
    expect(sizes.filter((t) => t.dtype === 'float32' && t.shape.length > 1)).toEqual([])
  })

  test('are not made of few inputs, of few columns, or of weights that are not finite', () => {
    expect(layers(lowered(63, (x) => op('MatMul', [x, held(matrix(63, 64))])).bytes.nodes)).toEqual(['twotower>Dense'])
    expect(layers(lowered(70, (x) => op('MatMul', [x, held(matrix(70, 63))])).bytes.nodes)).toEqual(['twotower>Dense'])
    const infinite = matrix(70, 64)
    ;(infinite.data as Float32Array)[77] = Number.POSITIVE_INFINITY
    expect(layers(lowered(70, (x) => op('MatMul', [x, held(infinite)])).bytes.nodes)).toEqual(['twotower>Dense'])
  })

  test('are not made of scores that go straight to TopK', () => {
    const { bytes } = lowered(70, (x) => op('TopKV2', [op('MatMul', [x, weights]), ints(3)]))
    expect(layers(bytes.nodes)).toEqual(['twotower>Dense'])
  })

  test('share their bytes where two layers share their weights', () => {
    const { bytes } = lowered(70, (x) =>
      op('AddV2', [op('MatMul', [x, weights]), op('Relu', [op('MatMul', [x, weights])])]),
    )
    expect(layers(bytes.nodes)).toEqual(['twotower>DenseInt8', 'twotower>DenseInt8'])
    const packed = bytes.nodes.filter((node) => node.op === 'Const' && node.attrs.tensor('value').dtype === 'int8')
    expect(packed).toHaveLength(1)
  })
})
