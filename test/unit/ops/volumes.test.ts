import { describe, expect, test } from 'vitest'
import { UnsupportedOpError } from '../../../src/errors.ts'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/volumes.ts'
import { goldenOps } from './goldens.ts'

describe('convolutions and pooling over volumes', () => goldenOps('volumes', ops))

test('a convolution of half floats is refused', () => {
  const attrs = new Attrs({ T: 'bfloat16', strides: [1, 1, 1, 1, 1], padding: 'SAME' })
  const x = { dtype: 'bfloat16', shape: [1, 1, 1, 1, 1], data: Float32Array.of(1) } as const
  const node = { name: 'halves', op: 'Conv3D', attrs, inputs: [], controls: [] }
  const run = () => ops.Conv3D.evaluate({ inputs: [x, x], attrs, node, files: new Map(), run: () => [] })
  expect(run).toThrow(UnsupportedOpError)
  expect(run).toThrow(/caches and threads; cast to float32/)
})
