import { expect, test } from 'vitest'
import { changedWeights } from '../../../src/diff/weights.ts'
import { Attrs, type ModelDefinition, type Node } from '../../../src/graph/index.ts'

const definition = (...data: number[]): ModelDefinition => {
  const value = { dtype: 'complex64', shape: [2], data: Float32Array.from(data) } as const
  const held: Node = {
    name: 'w',
    op: 'Const',
    attrs: new Attrs({ value: { tensor: value } }),
    inputs: [],
    controls: [],
  }
  const abs: Node = { name: 'y', op: 'ComplexAbs', attrs: Attrs.none, inputs: [{ node: held, index: 0 }], controls: [] }
  const graph = { parameters: [], nodes: [held, abs], outputs: [{ node: abs, index: 0 }] }
  return {
    source: 'a test',
    signatures: [{ name: 's', method: '', inputs: [], outputs: [{ name: 'y', dtype: 'float32', shape: [2] }], graph }],
    towers: { query: null, candidate: null, similarity: null, joint: null, notes: [] },
  }
}

test('complex weights are compared, the last imaginary part too', () => {
  expect(changedWeights(definition(1, 2, 3, 4), definition(1, 2, 3, 4))).toEqual([])
  const changes = changedWeights(definition(1, 2, 3, 4), definition(1, 2, 3, 6))
  expect(changes).toMatchObject([{ name: 'w', a: 'complex64[2]', b: 'complex64[2]', max: 2, mean: 0.5 }])
})
