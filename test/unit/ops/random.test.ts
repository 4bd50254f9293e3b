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
})
