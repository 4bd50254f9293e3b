import { describe, expect, test } from 'vitest'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/arrange.ts'
import { type Tensor, tensor } from '../../../src/tensor/index.ts'
import { goldenOps } from './goldens.ts'

describe('rearranging', () => goldenOps('arrange', ops))

test('a tensor tiled along one axis has at each place what is there modulo its length', () => {
  const node = { name: 'n', op: 'Tile', attrs: Attrs.none, inputs: [], controls: [] }
  const shape = [3, 2, 19]
  const numbers = Array.from({ length: 114 }, (_, i) => i % 113)
  const kinds: Tensor[] = [
    tensor('float32', shape, Float32Array.from(numbers)),
    tensor('uint8', shape, Uint8Array.from(numbers)),
    tensor('int64', shape, BigInt64Array.from(numbers, BigInt)),
  ]
  for (const x of kinds)
    for (const axis of [0, 1, 2])
      for (const times of [0, 1, 2, 3, 5, 9]) {
        const multiples = tensor('int32', [3], Int32Array.of(1, 1, 1).with(axis, times))
        const tiled = ops.Tile.evaluate({
          inputs: [x, multiples],
          attrs: Attrs.none,
          node,
          files: new Map(),
          run: () => [],
        })
        const wide = shape.with(axis, shape[axis] * times)
        const wanted: number[] = []
        for (let a = 0; a < wide[0]; a++)
          for (let b = 0; b < wide[1]; b++)
            for (let c = 0; c < wide[2]; c++) wanted.push(numbers[((a % 3) * 2 + (b % 2)) * 19 + (c % 19)])
        const { shape: made, data } = tiled as Tensor & { data: Float32Array }
        expect(made).toEqual(wide)
        expect(Array.from(data, Number)).toEqual(wanted)
      }
})
