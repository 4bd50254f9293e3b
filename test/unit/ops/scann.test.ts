import { describe, expect, test } from 'vitest'
import { UnsupportedOpError } from '../../../src/errors.ts'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/scann.ts'
import { Strings, type Tensor, tensor } from '../../../src/tensor/index.ts'

/** A ScannConfig of 2 neighbours by `distance`; `reordered` of the approximately nearest are compared exactly. */
function config(distance: string, reordered?: number): Tensor {
  const name = new TextEncoder().encode(distance)
  const reordering = reordered === undefined ? [] : [0x8a, 0x01, 2, 0x08, reordered]
  const bytes = Uint8Array.of(0x18, 2, 0x2a, name.length + 2, 0x0a, name.length, ...name, ...reordering)
  return tensor('string', [1], Strings.from([bytes]))
}

const float = (shape: number[], ...values: number[]) => tensor('float32', shape, Float32Array.from(values))
const int = (value: number) => tensor('int32', [], Int32Array.of(value))

function run(op: string, inputs: readonly Tensor[]): Tensor[] {
  const node = { name: 'index/search', op, attrs: Attrs.none, inputs: [], controls: [] }
  const result = ops[op].evaluate({ inputs, attrs: Attrs.none, node, files: new Map(), run: () => [] })
  return 'dtype' in result ? [result] : (result as Tensor[])
}

const search = (vectors: Tensor, settings: Tensor, query: Tensor, k: number) =>
  run('Scann>ScannSearchBatched', [
    ...run('Scann>TensorsToScann', [vectors, settings]),
    query,
    int(k),
    int(-1),
    int(-1),
  ])

const VECTORS = float([4, 2], 1, 0, 3, 0, 1, 0, 0, 5)

describe('an index of ScaNN', () => {
  test('finds the largest dot products, of equal ones the first', () => {
    const [indices, distances] = search(VECTORS, config('DotProductDistance'), float([2, 2], 1, 0, 0, 2), 3)
    expect(indices).toEqual(tensor('int32', [2, 3], Int32Array.of(1, 0, 2, 3, 0, 1)))
    expect(Array.from(distances.data as Float32Array, (x) => x + 0)).toEqual([3, 1, 1, 10, 0, 0])
  })

  test('finds the smallest squared distances', () => {
    const [indices, distances] = search(VECTORS, config('SquaredL2Distance'), float([1, 2], 1, 1), -1)
    expect(indices).toEqual(tensor('int32', [1, 2], Int32Array.of(0, 2)))
    expect(distances).toEqual(float([1, 2], 1, 1))
  })

  test('finds no more than ScaNN would have reordered, nor than there are', () => {
    const query = float([1, 2], 1, 0)
    expect(search(VECTORS, config('DotProductDistance', 3), query, 9)[0].shape).toEqual([1, 3])
    expect(search(VECTORS, config('DotProductDistance'), query, 9)[0].shape).toEqual([1, 4])
  })

  test('is refused in words where only ScaNN searches it, or by another distance', () => {
    const query = float([1, 2], 1, 0)
    const other = () => search(float([], 0), config('DotProductDistance'), query, 1)
    expect(other).toThrow(UnsupportedOpError)
    expect(other).toThrow(/index\/search.*in a way that ScaNN alone searches; export it by score_ah/)
    expect(() => search(VECTORS, config('CosineDistance'), query, 1)).toThrow(/CosineDistance/)
  })

  test('is refused queries of another width and no neighbours', () => {
    const settings = config('DotProductDistance')
    expect(() => search(VECTORS, settings, float([1, 3], 1, 0, 0), 1)).toThrow('3 dimensions, the index has 2')
    expect(() => search(VECTORS, settings, float([1, 2], 1, 0), 0)).toThrow('must be positive, got 0')
  })
})
