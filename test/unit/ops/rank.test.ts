import { describe, expect, test } from 'vitest'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/rank.ts'
import { goldenOps, tensorOf } from './goldens.ts'

describe('the largest and the smallest', () => goldenOps('rank', ops))

// TensorFlow removed TopK at GraphDef version 7, and the kernel that 2.15 still registers for it cannot be made. Its
// definition in core/ops/nn_ops.cc is TopKV2's, but that k is an attribute.
test('TopK answers what TopKV2 answers, its k being an attribute', () => {
  const x = tensorOf({ dtype: 'float32', shape: [2, 4], data: [1, 3, 3, 'NaN', -0.5, '-Infinity', 'Infinity', 2] })
  const run = (op: string, inputs: (typeof x)[], attrs: Attrs) =>
    ops[op].evaluate({
      inputs,
      attrs,
      node: { name: 'case', op, attrs, inputs: [], controls: [] },
      files: new Map(),
      run: () => [],
    })
  const k = tensorOf({ dtype: 'int32', shape: [], data: [2] })
  expect(run('TopK', [x], new Attrs({ k: 2 }))).toEqual(run('TopKV2', [x, k], Attrs.none))
})

// What TensorFlow 2.15 answers. Its threads take denormals for zeros, which a saturated softmax is full of.
test.each([
  [[0, 2e-40, 3e-40, 1, -1], [3, 0, 1, 2], 3, 4],
  [[-1e-40, 0, 1e-45, -2, -3], [0, 1, 2, 3], 0, 4],
  [[3e-40, 2e-40, 5e-40, 4e-40, 6e-40], [0, 1, 2, 3], 0, 0],
  [[0, -1e-40, -2, -3, -1e-39], [0, 1, 4, 2], 0, 3],
])('of %j the largest are at %j, denormals being zeros', (data, places, most, least) => {
  const x = tensorOf({ dtype: 'float32', shape: [data.length], data })
  const run = (op: string, by: number) => {
    const inputs = [x, tensorOf({ dtype: 'int32', shape: [], data: [by] })]
    const node = { name: 'case', op, attrs: Attrs.none, inputs: [], controls: [] }
    return [ops[op].evaluate({ inputs, attrs: Attrs.none, node, files: new Map(), run: () => [] })].flat()
  }
  const [values, indices] = run('TopKV2', 4)
  expect(indices).toMatchObject({ data: Int32Array.from(places) })
  expect(values).toMatchObject({ data: Float32Array.from(places, (place) => data[place]) })
  expect(run('ArgMax', 0)).toMatchObject([{ data: BigInt64Array.of(BigInt(most)) }])
  expect(run('ArgMin', 0)).toMatchObject([{ data: BigInt64Array.of(BigInt(least)) }])
})
