import { describe, expect, test } from 'vitest'
import { writePredict, writeRows } from '../../../src/serve/predict.ts'
import { Strings, tensor } from '../../../src/tensor/index.ts'

const ints = (...values: number[]) => tensor('int64', [values.length], BigInt64Array.from(values, BigInt))

describe('an output of several tensors', () => {
  const ragged = {
    'tokens/values': tensor('string', [3], Strings.from(['a', 'b', 'c'])),
    'tokens/row_splits': ints(0, 1, 1, 3),
  }

  test('that are values and row splits is nested lists', () => {
    expect(writePredict(ragged, 'columns')).toBe('{"outputs": [["a"], [], ["b", "c"]]}')
    const score = tensor('float32', [3], Float32Array.of(1, 2, 3))
    expect(writePredict({ ...ragged, score }, 'columns')).toBe(
      '{"outputs": {"tokens": [["a"], [], ["b", "c"]], "score": [1.0, 2.0, 3.0]}}',
    )
    expect(writeRows({ ...ragged, score })[2]).toBe('{"tokens": ["b", "c"], "score": 3.0}')
  })

  test('that are values and splits of two dimensions nests them, with rows of their own inside', () => {
    const deep = {
      'x/values': tensor('int32', [3, 2], Int32Array.of(1, 2, 3, 4, 5, 6)),
      'x/row_splits': ints(0, 2, 2),
      'x/row_splits_1': ints(0, 1, 3),
    }
    expect(writePredict(deep, 'columns')).toBe('{"outputs": [[[[1, 2]], [[3, 4], [5, 6]]], []]}')
    expect(writePredict(deep, 'rows')).toBe('{"predictions": [[[[1, 2]], [[3, 4], [5, 6]]], []]}')
  })

  test('that are a sparse tensor is an object of its parts, which has no rows', () => {
    const sparse = {
      's/dense_shape': ints(1, 4),
      's/indices': tensor('int64', [1, 2], BigInt64Array.of(0n, 3n)),
      's/values': tensor('float32', [1], Float32Array.of(2.5)),
    }
    expect(writePredict(sparse, 'columns')).toBe(
      '{"outputs": {"values": [2.5], "indices": [[0, 3]], "dense_shape": [1, 4]}}',
    )
    expect(() => writeRows(sparse)).toThrow(/"s" is sparse/)
  })

  test('is what its names say only where all of them are there', () => {
    const lone = { 'x/values': tensor('float32', [1], Float32Array.of(1)) }
    expect(writePredict({ ...lone, y: ints(1) }, 'columns')).toBe('{"outputs": {"x/values": [1.0], "y": [1]}}')
  })
})

test('an output of complex numbers is refused by name', () => {
  const z = { dtype: 'complex64', shape: [1], data: Float32Array.of(1, 2) } as const
  expect(() => writePredict({ z }, 'columns')).toThrow(
    'output "z" is a complex64, which TensorFlow\'s JSON has no form for',
  )
})
