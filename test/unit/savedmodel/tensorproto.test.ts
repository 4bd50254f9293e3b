import fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { describe, expect, test } from 'vitest'
import { shapeOf, tensorflow, tensorOf } from '../../../src/savedmodel/index.ts'
import { type DataOf, Strings } from '../../../src/tensor/index.ts'
import { bytesOf, DT, join, raw, shapeBytes, varint } from './write.ts'

type Write = (writer: protobuf.Writer) => unknown

/** The message of a dtype and shape, with what `write` adds, by way of its bytes. */
function proto(dtype: number, shape: readonly number[], write: Write = () => {}): tensorflow.TensorProto {
  const writer = protobuf.Writer.create().uint32(0x08).int32(dtype).uint32(0x12).bytes(shapeBytes(shape))
  write(writer)
  return tensorflow.TensorProto.decode(writer.finish())
}

const packed =
  <T>(field: number, write: (writer: protobuf.Writer, value: T) => unknown, values: readonly T[]): Write =>
  (writer) => {
    writer.uint32(field * 8 + 2).fork()
    for (const value of values) write(writer, value)
    writer.ldelim()
  }
const floats = (...values: number[]) => packed(5, (w, value: number) => w.float(value), values)
const doubles = (...values: number[]) => packed(6, (w, value: number) => w.double(value), values)
const ints = (...values: number[]) => packed(7, (w, value: number) => w.int32(value), values)
const longs = (...values: bigint[]) => packed(10, (w, value: bigint) => w.int64(String(value)), values)
const bools = (...values: boolean[]) => packed(11, (w, value: boolean) => w.bool(value), values)
const halves = (...values: number[]) => packed(13, (w, value: number) => w.int32(value), values)
const uints = (...values: number[]) => packed(16, (w, value: number) => w.uint32(value), values)
const ulongs = (...values: bigint[]) => packed(17, (w, value: bigint) => w.uint64(String(value)), values)
const strings =
  (...values: Uint8Array[]): Write =>
  (writer) => {
    for (const value of values) writer.uint32(0x42).bytes(value)
  }
const content =
  (bytes: Uint8Array): Write =>
  (writer) =>
    writer.uint32(0x22).bytes(bytes)

const MIN = -(2n ** 63n)
const MAX = 2n ** 64n - 1n
/** Each dtype: the list's values, what they are in memory, and the same as content. */
const CASES: [
  keyof DataOf & keyof typeof DT,
  Write,
  Exclude<DataOf[keyof DataOf], Strings | readonly unknown[]>,
  ArrayBufferView?,
][] = [
  ['float32', floats(1.5, Number.NaN, -0), Float32Array.of(1.5, Number.NaN, -0)],
  ['float64', doubles(0.1, -1e300, -0), Float64Array.of(0.1, -1e300, -0)],
  ['float16', halves(0x3c00, 0xc000, 1), Float32Array.of(1, -2, 2 ** -24), Uint16Array.of(0x3c00, 0xc000, 1)],
  ['bfloat16', halves(0x3fc0, 0xff80, 0), Float32Array.of(1.5, -Infinity, 0), Uint16Array.of(0x3fc0, 0xff80, 0)],
  ['int8', ints(-128, 127, -1), Int8Array.of(-128, 127, -1)],
  ['int16', ints(-32768, 32767, -1), Int16Array.of(-32768, 32767, -1)],
  ['int32', ints(-(2 ** 31), 2 ** 31 - 1, -1), Int32Array.of(-(2 ** 31), 2 ** 31 - 1, -1)],
  ['int64', longs(MIN, 2n ** 53n + 1n, -1n), BigInt64Array.of(MIN, 2n ** 53n + 1n, -1n)],
  ['uint8', ints(0, 255, 7), Uint8Array.of(0, 255, 7)],
  ['uint16', ints(0, 65535, 7), Uint16Array.of(0, 65535, 7)],
  ['uint32', uints(0, 2 ** 32 - 1, 7), Uint32Array.of(0, 2 ** 32 - 1, 7)],
  ['uint64', ulongs(0n, MAX, 7n), BigUint64Array.of(0n, MAX, 7n)],
  ['bool', bools(true, false, true), Uint8Array.of(1, 0, 1)],
]

describe.each(CASES)('%s', (dtype, list, data, bits = data) => {
  test('is read from its list', () => {
    expect(tensorOf(proto(DT[dtype], [3], list))).toEqual({ dtype, shape: [3], data })
  })

  test('is read from content', () => {
    expect(tensorOf(proto(DT[dtype], [3], content(raw(bits))))).toEqual({ dtype, shape: [3], data })
  })

  test('repeats the last value of a short list', () => {
    const repeated = data.slice(0, 3)
    const wanted = [...repeated, repeated[2], repeated[2], repeated[2]]
    expect([...(tensorOf(proto(DT[dtype], [2, 3], list)).data as typeof data)]).toEqual(wanted)
  })

  test('is zeros where the list is empty', () => {
    const zeros = tensorOf(proto(DT[dtype], [2])).data as typeof data
    expect(zeros).toHaveLength(2)
    expect([...zeros].every((value) => Number(value) === 0)).toBe(true)
  })

  test('ignores what is too much in its list', () => {
    expect(tensorOf(proto(DT[dtype], [], list)).data).toEqual(data.slice(0, 1))
    expect(tensorOf(proto(DT[dtype], [0], list)).data).toHaveLength(0)
  })

  test('content of another size is refused with both sizes', () => {
    const bytes = raw(bits).length
    const wrong = proto(DT[dtype], [4], content(raw(bits)))
    expect(() => tensorOf(wrong)).toThrow(RangeError)
    expect(() => tensorOf(wrong)).toThrow(`${dtype}[4] needs ${(bytes / 3) * 4} bytes of content, got ${bytes}`)
  })
})

describe.each([
  ['complex64', (...values: number[]) => packed(9, (w, value: number) => w.float(value), values), Float32Array],
  ['complex128', (...values: number[]) => packed(12, (w, value: number) => w.double(value), values), Float64Array],
] as const)('%s', (dtype, list, array) => {
  const read = (shape: readonly number[], write?: Write) => tensorOf(proto(DT[dtype], shape, write))

  test('is pairs of its list or of content', () => {
    const data = array.of(1.5, -2, -0, 4)
    expect(read([2], list(...data))).toEqual({ dtype, shape: [2], data })
    expect(read([2], content(raw(data)))).toEqual({ dtype, shape: [2], data })
  })

  test('repeats the last pair, ignores what is too much or half, and is zeros where there is none', () => {
    expect(read([3], list(1, 2, 3, 4)).data).toEqual(array.of(1, 2, 3, 4, 3, 4))
    expect(read([1], list(1, 2, 3, 4)).data).toEqual(array.of(1, 2))
    expect(read([2], list(1, 2, 3)).data).toEqual(array.of(1, 2, 1, 2))
    expect(read([2]).data).toEqual(array.of(0, 0, 0, 0))
  })

  test('of another size than its shape is refused before memory is asked for', () => {
    expect(() => read([3], content(raw(array.of(1, 2))))).toThrow(RangeError)
    expect(() => read([2 ** 30], list(1, 2))).toThrow(/repeats its last value/)
  })
})

describe('strings', () => {
  const words = ['a', '', 'ÿ'].map(bytesOf)

  test('are read from their list, the last one repeated', () => {
    const wanted = Strings.from([...words, words[2], words[2]])
    expect(tensorOf(proto(DT.string, [5], strings(...words)))).toEqual({ dtype: 'string', shape: [5], data: wanted })
  })

  test('are empty where the list is', () => {
    expect(tensorOf(proto(DT.string, [2])).data).toEqual(Strings.from(['', '']))
  })

  test('are read from content: all lengths, then all bytes', () => {
    const bytes = join(...words.map(({ length }) => varint(length)), ...words)
    expect(tensorOf(proto(DT.string, [3], content(bytes))).data).toEqual(Strings.from(words))
  })

  test.each([
    ['too few lengths', Uint8Array.of(1), /strings cannot lie in 1 bytes/],
    ['a length past the end', Uint8Array.of(1, 1, 5, 97), /take 7 bytes, 1 are there/],
    ['bytes left over', Uint8Array.of(0, 0, 1, 97, 98), /take 1 bytes, 2 are there/],
    ['a length cut short', Uint8Array.of(0x80, 0x80, 0x80), /integer before byte 3 is cut short/],
  ])('content with %s is refused', (_, bytes, message) => {
    expect(() => tensorOf(proto(DT.string, [3], content(bytes)))).toThrow(RangeError)
    expect(() => tensorOf(proto(DT.string, [3], content(bytes)))).toThrow(message)
  })

  test('any list comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (values) => {
        expect(tensorOf(proto(DT.string, [values.length], strings(...values))).data).toEqual(Strings.from(values))
      }),
    )
  })
})

test('any int64 comes back exactly', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: MIN, max: -MIN - 1n }), { minLength: 1 }), (values) => {
      expect(tensorOf(proto(DT.int64, [values.length], longs(...values))).data).toEqual(BigInt64Array.from(values))
    }),
  )
})

test('a repeated value of a few million elements is legal', () => {
  const data = tensorOf(proto(DT.float32, [3000, 1000], floats(7))).data as Float32Array
  expect(data).toHaveLength(3_000_000)
  expect(data.every((value) => value === 7)).toBe(true)
})

test.each([
  ['float32', [10 ** 12], floats(1)],
  ['int64', [2 ** 31, 2 ** 31], longs(1n)],
  ['string', [10 ** 12], strings(bytesOf('x'))],
  ['string', [1000], strings(new Uint8Array(2 ** 21))],
  ['float32', [...Array(200).fill(2 ** 50), 0], floats(1)],
] as const)('%s of a shape far larger than the message is refused before memory is asked for', (dtype, shape, list) => {
  expect(() => tensorOf(proto(DT[dtype], shape, list))).toThrow(RangeError)
  expect(() => tensorOf(proto(DT[dtype], shape, list))).toThrow(/repeats its last value/)
})

test.each([
  ['resource', 20],
  ['variant', 21],
])('%s is refused as a handle', (name, dtype) => {
  expect(() => tensorOf(proto(dtype, []))).toThrow(TypeError)
  expect(() => tensorOf(proto(dtype, []))).toThrow(`dtype ${name} holds a handle`)
})

test('a dtype that is not supported is a TypeError', () => {
  expect(() => tensorOf(proto(DT.float8_e5m2, []))).toThrow(new TypeError('dtype float8_e5m2 is not supported'))
  expect(() => tensorOf({})).toThrow(TypeError)
})

describe('shapes', () => {
  const unknown = tensorflow.TensorShapeProto.decode(Uint8Array.of(0x18, 1))

  test('-1 is null, an unknown rank is null alone, and a missing message is a scalar', () => {
    expect(shapeOf(proto(1, [3, -1, 0]).tensorShape)).toEqual([3, null, 0])
    expect(shapeOf(unknown)).toBeNull()
    expect(shapeOf(undefined)).toEqual([])
    expect(shapeOf(null)).toEqual([])
  })

  test('impossible dimensions are refused', () => {
    expect(() => shapeOf(proto(1, [-2]).tensorShape)).toThrow(RangeError)
    expect(() => shapeOf(proto(1, [2 ** 60]).tensorShape)).toThrow(RangeError)
  })

  test('a tensor of a shape that is not fully known is refused', () => {
    expect(() => tensorOf(proto(1, [2, -1]))).toThrow(/fully known shape, got \[2,\?\]/)
    expect(() => tensorOf({ dtype: 1, tensorShape: unknown })).toThrow(/fully known shape, got \[…\]/)
  })
})
