import { describe, expect, test } from 'vitest'
import { layersOf } from '../../../src/bench/layers.ts'
import { type Port, Program, type Value } from '../../../src/graph/index.ts'
import { loadAllOps } from '../../../src/ops/all.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import { floats, input, ints, op, signature } from '../graph/build.ts'

const ops = await loadAllOps()
const weights = floats([3, 2], 1, 2, 3, 4, 5, 6)
const square = floats([2, 2], 1, -1, 0.5, 2)
const x = tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))

const cut = (inputs: readonly Value[], out: Value) => {
  const { graph, outputs } = signature('serving_default', inputs, { out: [out, null] })
  return { graph, layers: layersOf(graph, outputs as Port[]) }
}

describe('layers', () => {
  test('are cut off what comes before them, and compute the same from there on', () => {
    const [a, b] = [input('a'), input('b')]
    // No layer's op: a clip by steps, and a look into a table.
    const clipped = op('ClipByValue', [a, floats([], 2), floats([], 5)])
    const rows = op('GatherV2', [floats([4, 2], 1, 2, 3, 4, 5, 6, 7, 8), op('Cast', [b], { DstT: 'int32' }), ints(0)])
    const hidden = op('Relu', [op('MatMul', [clipped, weights])])
    const out = op('MatMul', [op('AddV2', [hidden, rows]), square])
    const { graph, layers } = cut([a, b], out)
    if (typeof layers === 'string') throw new Error(layers)
    expect(layers.count).toBe(2)
    expect(layers.from.map(({ node }) => node.op).sort()).toEqual(['ClipByValue', 'GatherV2'])
    expect(layers.inputs.map(({ name }) => name)).toEqual(['x0', 'x1'])
    const given: Tensor[] = [x, tensor('float32', [2], Float32Array.of(3, 0))]
    const flowing = new Program({ ...graph, outputs: layers.from }, ops).run(given)
    expect(new Program(layers.graph, ops).run(flowing)).toEqual(new Program(graph, ops).run(given))
  })

  test('begin at an input that they take as it is', () => {
    const a = input('a')
    const { layers } = cut([a], op('MatMul', [a, weights]))
    expect(layers).toMatchObject({ count: 1, from: [{ node: a.node, index: 0 }] })
  })

  test('are not where nothing multiplies by a matrix', () => {
    const a = input('a')
    expect(cut([a], op('Relu', [a])).layers).toBe('it has no dense layers')
  })

  test('are not told apart where something else stands between or after them: it is named', () => {
    const a = input('a')
    const between = op('Floor', [op('MatMul', [a, weights])])
    expect(cut([a], op('MatMul', [between, square])).layers).toBe(
      `its dense layers are not in one piece: "${between.node.name}" (Floor) comes after one of them, and ONNX is not told how to say it`,
    )
    const after = op('Floor', [op('MatMul', [a, weights])])
    expect(cut([a], after).layers).toContain(`"${after.node.name}" (Floor) comes after one of them`)
  })

  test('are not told apart where they are in bytes', () => {
    const a = input('a')
    const layer = op('twotower>DenseInt8', [a])
    expect(cut([a], layer).layers).toBe(`its layers are in bytes: "${layer.node.name}" is int8`)
  })
})
