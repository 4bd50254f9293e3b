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
