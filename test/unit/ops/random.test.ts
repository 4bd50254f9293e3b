import { describe, expect, test } from 'vitest'
import { Attrs, type Node } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/random.ts'
import type { Tensor } from '../../../src/tensor/index.ts'
import { goldenOps } from './goldens.ts'

describe('random ops', () => {
  goldenOps('random', ops)

  const shape: Tensor = { dtype: 'int32', shape: [1], data: Int32Array.of(1000) }
  const draw = (node: Node): Float32Array => {
    const result = ops[node.op].evaluate({ inputs: [shape], attrs: node.attrs, node, files: new Map(), run: () => [] })
    return (result as Tensor).data as Float32Array
  }
  const nodeOf = (op: string): Node => ({
    name: 'node',
    op,
    attrs: new Attrs({ dtype: 'float32' }),
    inputs: [],
    controls: [],
  })

  test('without seeds numbers lie in their range and differ from call to call and from node to node', () => {
    const node = nodeOf('RandomUniform')
    const [first, second, other] = [draw(node), draw(node), draw(nodeOf('RandomUniform'))]
    for (const value of first) expect(value >= 0 && value < 1).toBe(true)
    expect(second).not.toEqual(first)
    expect(other).not.toEqual(first)
  })

  test('truncated normal numbers stay within two deviations', () => {
    for (const value of draw(nodeOf('TruncatedNormal'))) expect(Math.abs(value)).toBeLessThan(2)
  })

  test('with seeds a node goes on in the stream where TensorFlow does', () => {
    const node: Node = { ...nodeOf('RandomUniform'), attrs: new Attrs({ dtype: 'float32', seed: 5, seed2: 7 }) }
    const three: Tensor = { dtype: 'int32', shape: [1], data: Int32Array.of(3) }
    const call = { inputs: [three], attrs: node.attrs, node, files: new Map(), run: () => [] }
    const rounds = [1, 2].map(() => [...((ops.RandomUniform.evaluate(call) as Tensor).data as Float32Array)])
    // Two runs of one session of TensorFlow 2.15.
    expect(rounds).toEqual([
      [0.4474637508392334, 0.620756983757019, 0.2590693235397339],
      [0.7806154489517212, 0.4538689851760864, 0.2246779203414917],
    ])
    const values: Tensor = { dtype: 'int32', shape: [9], data: Int32Array.from({ length: 9 }, (_, i) => i) }
    const shuffle: Node = { ...nodeOf('RandomShuffle'), attrs: node.attrs }
    const shuffled = [1, 2].map(() => [
      ...((ops.RandomShuffle.evaluate({ ...call, node: shuffle, inputs: [values] }) as Tensor).data as Int32Array),
    ])
    expect(shuffled).toEqual([
      [1, 8, 6, 5, 0, 3, 4, 7, 2],
      [4, 7, 0, 6, 8, 5, 1, 3, 2],
    ])
    const logits: Tensor = { dtype: 'float32', shape: [2, 4], data: Float32Array.of(0, 1, 2, 3, 0, 1, 2, 3) }
    const five: Tensor = { dtype: 'int32', shape: [], data: Int32Array.of(5) }
    const draws: Node = { ...nodeOf('Multinomial'), attrs: new Attrs({ seed: 5, seed2: 7 }) }
    const drawn = [1, 2].map(() => {
      const result = ops.Multinomial.evaluate({ ...call, node: draws, attrs: draws.attrs, inputs: [logits, five] })
      return Array.from((result as Tensor).data as BigInt64Array, Number)
    })
    expect(drawn).toEqual([
      [3, 1, 3, 1, 2, 3, 0, 3, 3, 2],
      [2, 2, 0, 1, 3, 3, 0, 3, 1, 3],
    ])
  })
})
