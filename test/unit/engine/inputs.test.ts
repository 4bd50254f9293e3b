import { describe, expect, test } from 'vitest'
import { bindInputs, type InputValue, toPublic, toTensor } from '../../../src/engine/inputs.ts'
import type { Port } from '../../../src/graph/index.ts'
import { Strings, tensor } from '../../../src/tensor/index.ts'

const port = (dtype: Port['dtype'], shape: Port['shape'], name = 'x'): Port => ({ name, dtype, shape })

describe('an input', () => {
  test('is nested lists, whose shape is read from them', () => {
    expect(
      toTensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        port('float32', [null, 3]),
      ),
    ).toEqual(tensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)))
  })

  test('is a typed array, whose open dimension is what the length leaves', () => {
    expect(toTensor(Float32Array.of(1, 2, 3, 4), port('float32', [null, 2])).shape).toEqual([2, 2])
  })

  test('is a list of typed arrays, a row each', () => {
    const rows = [Float64Array.of(0.1, 2), [3, 4]]
    expect(toTensor(rows, port('float32', [null, 2]))).toEqual(tensor('float32', [2, 2], Float32Array.of(0.1, 2, 3, 4)))
    const ids = toTensor([BigInt64Array.of(2n ** 60n), Int32Array.of(-1)], port('int64', [null, null]))
    expect(ids).toEqual(tensor('int64', [2, 1], BigInt64Array.of(2n ** 60n, -1n)))
    expect(toTensor([new Float32Array(0)], port('float32', [null, null])).shape).toEqual([1, 0])
    // Of strings an array of bytes is one.
    const words = toTensor([Uint8Array.of(97, 98)], port('string', [null]))
    expect([words.shape, (words.data as Strings).value(0)]).toEqual([[1], 'ab'])
  })

  test('is read where it lies, and never written to', () => {
    const mine = Float32Array.of(0.1, 2)
    expect(toTensor(mine, port('float32', [2])).data).toBe(mine)
    const half = toTensor({ dtype: 'float16', shape: [2], data: mine }, port('float16', [2]))
    expect(half.data).toEqual(Float32Array.of(0.0999755859375, 2))
    expect(toTensor(mine, port('bfloat16', [2])).data).toEqual(Float32Array.of(0.10009765625, 2))
    expect(mine).toEqual(Float32Array.of(0.1, 2))
  })

  test('of complex numbers is a tensor of pairs, and nothing else', () => {
    const numbers = port('complex64', [null])
    const given = { dtype: 'complex64', shape: [2], data: Float32Array.of(1, 2, 3, -4) } as const
    expect(toTensor(given, numbers)).toEqual(given)
    expect(toPublic(given)).toEqual(given)
    expect(() => toTensor({ ...given, shape: [4] }, numbers)).toThrow('[4] asks for 4 elements, data has 2')
    expect(() => toTensor({ ...given, data: Float64Array.of(1, 2, 3, 4) } as never, numbers)).toThrow(TypeError)
    expect(() => toTensor({ ...given, dtype: 'float32' }, numbers)).toThrow('must be complex64[?], got float32')
    expect(() => toTensor(given.data, numbers)).toThrow('must be complex64[?], got a Float32Array')
    expect(() => toTensor([1, 2], numbers)).toThrow('is a complex64: it cannot be given by lists')
  })

  test('of no rows takes its inner dimensions from the signature', () => {
    expect(toTensor([], port('int64', [null, 4])).shape).toEqual([0, 4])
    expect(toTensor([], port('float32', [null, null, 3])).shape).toEqual([0, 1, 3])
  })

  test('of int64 is exact past 2^53', () => {
    expect(toTensor([9007199254740993n, 3], port('int64', [2])).data).toEqual(BigInt64Array.of(9007199254740993n, 3n))
  })

  test('of float16 is rounded to it', () => {
    expect(toTensor([0.1], port('float16', [1])).data).toEqual(Float32Array.of(0.0999755859375))
  })

  const refusals: [string, InputValue, Port, RegExp][] = [
    ['a string for a number', ['a'], port('float32', [1]), /"x" must be float32\[1\], got the string "a"/],
    ['a number for a string', [1], port('string', [1]), /must be string\[1\], got the number 1/],
    ['a fraction for an integer', [1.5], port('int32', [1]), /must be int32\[1\], got 1.5/],
    ['a number for a bool', [1], port('bool', [1]), /must be bool/],
    ['an int32 past its range', [2 ** 31], port('int32', [1]), /2147483648 is not a value of int32/],
    ['an int64 past its range', [2n ** 63n], port('int64', [1]), /is not a value of int64/],
    // 9007199254740993 as it is read.
    ['an int64 that no number holds', [2 ** 53], port('int64', [1]), /9007199254740992 is not exact: give a bigint/],
    [
      'a uint64 that no number holds',
      [[2 ** 63]],
      port('uint64', [1, 1]),
      /9223372036854776000 is not exact: give a bigint/,
    ],
    ['ragged lists', [[1], [1, 2]], port('float32', [null, null]), /ragged/],
    ['a list among numbers', [1, [2]], port('float32', [null]), /ragged/],
    ['rows of two lengths', [Float32Array.of(1), Float32Array.of(1, 2)], port('float32', [null, null]), /ragged/],
    ['a row among numbers', [1, Float32Array.of(2)], port('float32', [null]), /ragged/],
    [
      'a fraction in a row of integers',
      [Float32Array.of(1.5)],
      port('int32', [1, 1]),
      /must be int32\[1, 1\], got 1.5/,
    ],
    ['a wrong rank', [1, 2], port('float32', [null, 2]), /must be float32\[\?, 2\], got the shape \[2\]/],
    ['a wrong dimension', [[1, 2, 3]], port('float32', [null, 2]), /got the shape \[1, 3\]/],
    ['an array of another type', Float64Array.of(1), port('float32', [1]), /got a Float64Array/],
    [
      'an array that does not fill the shape',
      Float32Array.of(1, 2, 3),
      port('float32', [null, 2]),
      /3 elements do not fill it/,
    ],
    ['an array for an open shape', Float32Array.of(1), port('float32', [null, null]), /leaves its shape open/],
    [
      'a tensor of another dtype',
      { dtype: 'int32', shape: [1], data: Int32Array.of(1) },
      port('float32', [1]),
      /got int32/,
    ],
    [
      'a tensor with too little data',
      { dtype: 'float32', shape: [2], data: Float32Array.of(1) },
      port('float32', [2]),
      /asks for 2 elements, data has 1/,
    ],
    [
      'a tensor with other data than its dtype',
      { dtype: 'float32', shape: [1], data: Int32Array.of(1) } as unknown as InputValue,
      port('float32', [1]),
      /data of Int32Array/,
    ],
    ['null', null as never, port('float32', [null]), /must be float32\[\?\], got null/],
    ['a byte that is no bool', Uint8Array.of(1, 0, 2), port('bool', [null]), /"x": 2 is not a value of bool/],
    [
      'a tensor of bytes that are no bools',
      { dtype: 'bool', shape: [1], data: Uint8Array.of(255) },
      port('bool', [null]),
      /"x": 255 is not a value of bool/,
    ],
  ]
  test.each(refusals)('is refused where it is %s', (_, value, wanted, message) => {
    expect(() => toTensor(value, wanted)).toThrow(message)
  })
})

test("a tensor's shape is copied: the caller may put another array behind his own", () => {
  const mine = { dtype: 'float32' as const, shape: [1, 2], data: Float32Array.of(1, 2) }
  const taken = toTensor(mine, port('float32', [null, 2]))
  mine.shape[0] = 2
  expect(taken.shape).toEqual([1, 2])
})

describe('the inputs of a signature', () => {
  const ports = [port('float32', [null], 'age'), port('string', [null], 'constructor')]

  test('are bound by name, also where a name is one that objects have', () => {
    const [age, name] = bindInputs(ports, { age: [1], constructor: ['x'] }, 's')
    expect([age.dtype, name.dtype]).toEqual(['float32', 'string'])
  })

  test('must all be there, and the error lists them', () => {
    expect(() => bindInputs(ports, { age: [1] }, 's')).toThrow(
      /"constructor" is missing: signature "s" takes "age" float32\[\?\]/,
    )
  })

  test('may not have a stranger among them', () => {
    expect(() => bindInputs(ports, { age: [1], constructor: ['x'], agee: [1] }, 's')).toThrow(/has no input "agee"/)
  })

  test('take their default where they are left out', () => {
    const fallback = tensor('float32', [], Float32Array.of(7))
    expect(bindInputs([{ ...port('float32', []), fallback }], {}, 's')).toEqual([fallback])
  })
})

describe('a result', () => {
  test('of strings is text where all of it is UTF-8', () => {
    expect(toPublic(tensor('string', [2], Strings.from(['ä', ''])))).toEqual({
      dtype: 'string',
      shape: [2],
      data: ['ä', ''],
    })
  })

  test('of strings is bytes where one is not UTF-8', () => {
    const bytes = [Uint8Array.of(0xff), Uint8Array.of(97)]
    expect(toPublic(tensor('string', [2], Strings.from(bytes))).data).toEqual(bytes)
  })

  test("of strings has a shape of the caller's own, as one of numbers has", () => {
    const constant = tensor('string', [1], Strings.from(['a']))
    ;(toPublic(constant).shape as number[]).push(7)
    expect(constant.shape).toEqual([1])
  })
})
