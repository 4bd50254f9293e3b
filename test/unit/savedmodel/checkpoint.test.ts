import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CorruptModelError } from '../../../src/errors.ts'
import { type ByteSource, type Folder, memoryFolder } from '../../../src/platform/folder.ts'
import { Checkpoint } from '../../../src/savedmodel/index.ts'
import { Strings } from '../../../src/tensor/index.ts'
import {
  bytesOf,
  checkpoint,
  crc,
  DT,
  entryBytes,
  headerBytes,
  internalKey,
  join,
  mask,
  raw,
  type Span,
  type Stored,
  stored,
  storedStrings,
  table,
} from './write.ts'

const open = (files: Record<string, Uint8Array>): Promise<Checkpoint> => Checkpoint.open(memoryFolder('model', files))
const INDEX = 'variables/variables.index'
const DATA = 'variables/variables.data-00000-of-00001'

const BITS16 = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00)
const ARRAYS: [keyof typeof DT, ArrayBufferView, ArrayLike<number | bigint>][] = [
  ['float32', Float32Array.of(1.5, -0, Number.NaN, Infinity), Float32Array.of(1.5, -0, Number.NaN, Infinity)],
  ['float64', Float64Array.of(0.1, -1e300, Number.NaN, 0), Float64Array.of(0.1, -1e300, Number.NaN, 0)],
  ['float16', BITS16, Float32Array.of(1, -2, 2 ** -24, Infinity)],
  ['bfloat16', Uint16Array.of(0x3fc0, 0xff80, 0x0000, 0x8000), Float32Array.of(1.5, -Infinity, 0, -0)],
  ['int8', Int8Array.of(-128, 127, 0, -1), Int8Array.of(-128, 127, 0, -1)],
  ['int16', Int16Array.of(-32768, 32767, 0, -1), Int16Array.of(-32768, 32767, 0, -1)],
  ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, -1), Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, -1)],
  [
    'int64',
    BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n),
    BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n),
  ],
  ['uint8', Uint8Array.of(0, 255, 1, 128), Uint8Array.of(0, 255, 1, 128)],
  ['uint16', Uint16Array.of(0, 65535, 1, 2), Uint16Array.of(0, 65535, 1, 2)],
  ['uint32', Uint32Array.of(0, 2 ** 32 - 1, 1, 2), Uint32Array.of(0, 2 ** 32 - 1, 1, 2)],
  ['uint64', BigUint64Array.of(0n, 2n ** 64n - 1n, 1n, 2n), BigUint64Array.of(0n, 2n ** 64n - 1n, 1n, 2n)],
  ['bool', Uint8Array.of(0, 1, 1, 0), Uint8Array.of(0, 1, 1, 0)],
  ['complex64', Float32Array.of(1, -2, 0, -0, 5, 6, 7, 8), Float32Array.of(1, -2, 0, -0, 5, 6, 7, 8)],
  ['complex128', Float64Array.of(0.1, -2, 3, 4, 5, 6, 7, 8), Float64Array.of(0.1, -2, 3, 4, 5, 6, 7, 8)],
]

describe('whole tensors', () => {
  test.each(ARRAYS)('%s comes back', async (dtype, written, expected) => {
    // A byte before it, so that the data does not lie aligned in the file.
    const files = checkpoint({ a: stored(DT.int8, [1], Int8Array.of(1)), x: stored(DT[dtype], [2, 2], written) })
    expect(await (await open(files)).read('x')).toEqual({ dtype, shape: [2, 2], data: expected })
  })

  test('bools that are stored as other than 0 and 1 are 1', async () => {
    const files = checkpoint({ x: stored(DT.bool, [3], Uint8Array.of(0, 2, 255)) })
    expect((await (await open(files)).read('x')).data).toEqual(Uint8Array.of(0, 1, 1))
  })

  test('scalars and tensors without elements come back', async () => {
    const files = checkpoint({
      empty: stored(DT.float32, [0, 4], new Float32Array(0)),
      nostrings: storedStrings([0], []),
      scalar: stored(DT.float32, [], Float32Array.of(3)),
    })
    const { read } = bound(await open(files))
    expect(await read('empty')).toEqual({ dtype: 'float32', shape: [0, 4], data: new Float32Array(0) })
    expect((await read('nostrings')).data).toEqual(Strings.from([]))
    expect(await read('scalar')).toEqual({ dtype: 'float32', shape: [], data: Float32Array.of(3) })
  })

  test('any strings come back byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), async (strings) => {
        const files = checkpoint({ x: storedStrings([strings.length], strings) })
        const { data } = await (await open(files)).read('x')
        expect(data).toBeInstanceOf(Strings)
        expect(strings.map((_, i) => (data as Strings).at(i))).toEqual(strings)
        expect(data.length).toBe(strings.length)
      }),
    )
  })

  test('many tensors come back from several data files and a Snappy index of many blocks', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `layer_${String(i).padStart(3, '0')}/kernel`)
    const tensors = names.map((name, i) => [name, stored(DT.float32, [2], Float32Array.of(i, -i), i % 3)] as const)
    const files = checkpoint(Object.fromEntries(tensors), { shards: 3, snappy: true, blockBytes: 300 })
    const model = await open(files)
    expect([...model.entries.keys()]).toEqual(names)
    for (const [i, name] of names.entries()) expect((await model.read(name)).data).toEqual(Float32Array.of(i, -i))
  })

  test('an entry tells dtype, shape and place without reading any data', async () => {
    const files = checkpoint({
      a: stored(DT.int8, [3], Int8Array.of(1, 2, 3)),
      x: stored(DT.int64, [1], BigInt64Array.of(5n)),
    })
    delete files[DATA]
    const entry = (await open(files)).entries.get('x')
    const crc32c = mask(crc(raw(BigInt64Array.of(5n))))
    expect(entry).toEqual({
      key: 'x',
      dtype: 'int64',
      dtypeNumber: 9,
      shape: [1],
      slices: [],
      shard: 0,
      offset: 3,
      size: 8,
      crc32c,
    })
  })

  test('only the ranges of the tensor asked for are read, and every source is closed', async () => {
    const files = checkpoint({
      a: stored(DT.float32, [1000], new Float32Array(1000)),
      x: stored(DT.float32, [2], Float32Array.of(1, 2)),
    })
    const log: string[] = []
    const inner = memoryFolder('model', files)
    const folder: Folder = {
      ...inner,
      async open(path) {
        const source = (await inner.open(path))!
        log.push(`open ${path}`)
        const slice: ByteSource['slice'] = (start, end) => {
          log.push(`read ${start} to ${end}`)
          return source.slice(start, end)
        }
        return { byteLength: source.byteLength, slice, close: async () => void log.push('close') }
      },
    }
    const model = await Checkpoint.open(folder)
    expect(log.splice(0)).toEqual([`open ${INDEX}`, `read 0 to ${files[INDEX].length}`, 'close'])
    await model.read('x')
    expect(log).toEqual([`open ${DATA}`, 'read 4000 to 4008', 'close'])
  })
})

describe('slices', () => {
  const values = Float32Array.from({ length: 40 }, (_, i) => i)
  /** The elements of rows and columns of a [10, 4] tensor of 0 to 39. */
  const part = (
    [row, rows]: readonly [number, number],
    [column, columns]: readonly [number, number],
    shard = 0,
  ): Stored =>
    stored(
      DT.float32,
      [rows, columns],
      values.filter((_, i) => i >> 2 >= row && i >> 2 < row + rows && i % 4 >= column && i % 4 < column + columns),
      shard,
    )
  const partitioned = {
    dtype: DT.float32,
    shape: [10, 4],
    slices: [
      { spans: [[0, 3], null] as Span[], part: part([0, 3], [0, 4]) },
      {
        spans: [
          [3, 7],
          [0, 1],
        ] as Span[],
        part: part([3, 7], [0, 1], 1),
      },
      {
        spans: [
          [3, 7],
          [1, 3],
        ] as Span[],
        part: part([3, 7], [1, 3], 1),
      },
    ],
  }

  test('a partitioned tensor comes back whole and its internal keys are not listed', async () => {
    const model = await open(checkpoint({ x: partitioned }, { shards: 2 }))
    expect([...model.entries.keys()]).toEqual(['x'])
    expect(model.entries.get('x')?.slices[1]).toEqual([
      { start: 3, length: 7 },
      { start: 0, length: 1 },
    ])
    expect(await model.read('x')).toEqual({ dtype: 'float32', shape: [10, 4], data: values })
  })

  test.each([
    ['', [10, 4], [...values]],
    ['10 4 -:-', [10, 4], [...values]],
    ['10 4 0,2:-', [2, 4], [0, 1, 2, 3, 4, 5, 6, 7]],
    ['10 4 2,2:1,2', [2, 2], [9, 10, 13, 14]],
    ['10 4 9,1:3,1', [1, 1], [39]],
  ])('the slice "%s" is the same from one piece and from many', async (spec, shape, expected) => {
    const whole = await open(checkpoint({ x: stored(DT.float32, [10, 4], values) }))
    const many = await open(checkpoint({ x: partitioned }, { shards: 2 }))
    const wanted = { dtype: 'float32', shape, data: Float32Array.from(expected) }
    expect(await whole.readSlice('x', spec)).toEqual(wanted)
    expect(await many.readSlice('x', spec)).toEqual(wanted)
  })

  test.each(ARRAYS)('slices of %s are put together', async (dtype, written, expected) => {
    const bytes = raw(written)
    const half = bytes.length / 2
    const slices = [0, 1].map((row) => ({
      spans: [[row, 1], null] as Span[],
      part: stored(DT[dtype], [1, 2], bytes.subarray(row * half, (row + 1) * half)),
    }))
    const model = await open(checkpoint({ x: { dtype: DT[dtype], shape: [2, 2], slices } }))
    expect(await model.read('x')).toEqual({ dtype, shape: [2, 2], data: expected })
  })

  test('slices of strings are put together', async () => {
    const words = ['a', '', 'ccc', 'dd'].map(bytesOf)
    const slices = [
      { spans: [[0, 1]] as Span[], part: storedStrings([1], words.slice(0, 1)) },
      { spans: [[1, 3]] as Span[], part: storedStrings([3], words.slice(1)) },
    ]
    const model = await open(checkpoint({ x: { dtype: DT.string, shape: [4], slices } }))
    expect((await model.read('x')).data).toEqual(Strings.from(words))
    expect((await model.readSlice('x', '4 2,2')).data).toEqual(Strings.from(words.slice(2)))
  })

  test('a tensor without columns keeps the shape of the slice', async () => {
    const model = await open(checkpoint({ x: stored(DT.float32, [4, 0], new Float32Array(0)) }))
    expect((await model.readSlice('x', '4 0 1,2:-')).shape).toEqual([2, 0])
  })

  test('a slice of another full shape is refused with both shapes', async () => {
    const model = await open(checkpoint({ x: stored(DT.float32, [10, 4], values) }))
    await expect(model.readSlice('x', '4 10 0,2:-')).rejects.toThrow(/is for shape \[4,10\], "x" has \[10,4\]/)
    await expect(model.readSlice('x', '10 4 0,2:-')).resolves.toBeDefined()
  })

  test('slices that leave a hole are enough for a slice beside it only', async () => {
    const model = await open(
      checkpoint({ x: { ...partitioned, slices: partitioned.slices.slice(0, 2) } }, { shards: 2 }),
    )
    await expect(model.read('x')).rejects.toThrow(/slices that hold 19 of the 40 elements/)
    expect((await model.readSlice('x', '10 4 0,3:-')).data).toEqual(values.slice(0, 12))
  })

  test('slices that lie over each other are refused though they number the elements', async () => {
    const slices = [
      { spans: [[0, 2]] as Span[], part: stored(DT.int8, [2], Int8Array.of(1, 2)) },
      { spans: [[1, 1]] as Span[], part: stored(DT.int8, [1], Int8Array.of(2)) },
    ]
    const model = await open(checkpoint({ x: { dtype: DT.int8, shape: [3], slices } }))
    await expect(model.read('x')).rejects.toThrow(/slices that lie over each other/)
  })

  test('slices that share one range of the data file are refused before room is made for them', async () => {
    const bytes = new Uint8Array(1000)
    const spans = Array.from({ length: 500 }, (_, i): Span[] => [[i * 1000, 1000]])
    const key = (span: Span[]): [Uint8Array, Uint8Array] => [
      internalKey('x', span),
      entryBytes({ dtype: DT.int8, shape: [1000], size: 1000, crc32c: mask(crc(bytes)) }),
    ]
    const pairs: [Uint8Array, Uint8Array][] = [
      [new Uint8Array(0), headerBytes(1)],
      ...spans.map(key),
      [bytesOf('x'), entryBytes({ dtype: DT.int8, shape: [500_000], slices: spans })],
    ]
    const model = await open({ [INDEX]: table(pairs), [DATA]: bytes })
    await expect(model.read('x')).rejects.toThrow(/lies over other slices/)
  })

  test.each([
    ['outside the shape', { shape: [3, 4] }, /slice 3,7:0,1, which is not inside it/],
    ['of another rank', { shape: [40] }, /which is not inside it/],
    ['of another dtype', { dtype: DT.int32 }, /stored as \[3,4\], DataType 1/],
  ])('slices %s are refused', async (_, change, message) => {
    const model = await open(checkpoint({ x: { ...partitioned, ...change } }, { shards: 2 }))
    await expect(model.read('x')).rejects.toThrow(CorruptModelError)
    await expect(model.read('x')).rejects.toThrow(message)
  })

  test('a slice whose own entry is missing is refused', async () => {
    const index = table([
      [new Uint8Array(0), headerBytes(1)],
      [bytesOf('x'), entryBytes({ dtype: 1, shape: [4], slices: [[[0, 4]]] })],
    ])
    await expect((await open({ [INDEX]: index })).read('x')).rejects.toThrow(/has a slice 0,4 that is stored nowhere/)
  })
})

describe('what is wrong is said', () => {
  const one = (fields: Partial<Parameters<typeof entryBytes>[0]>, data: Uint8Array = new Uint8Array(8)) => {
    const entry = entryBytes({
      dtype: DT.float32,
      shape: [2],
      size: 8,
      crc32c: mask(crc(new Uint8Array(8))),
      ...fields,
    })
    const pairs: [Uint8Array, Uint8Array][] = [
      [new Uint8Array(0), headerBytes(1)],
      [bytesOf('x'), entry],
    ]
    return { [INDEX]: table(pairs), [DATA]: data }
  }

  test.each([
    [
      'a size that is not the shape’s',
      one({ size: 12 }),
      /"x", float32\[2\]: its shape needs 8 bytes, the index says 12/,
    ],
    ['a range past the end', one({ offset: 4 }), /it lies at bytes 4 to 12, the file has 8/],
    ['a huge tensor', one({ shape: [10 ** 12], size: 4 * 10 ** 12 }), /the file has 8/],
    ['a checksum of other bytes', one({ crc32c: 5 }), /damaged: the index says checksum 0x00000005, its bytes give 0x/],
    ['more strings than bytes', one({ dtype: DT.string, shape: [9] }), /its shape needs at least 9 bytes/],
  ])('%s', async (_, files, message) => {
    const failure = await (await open(files)).read('x').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(CorruptModelError)
    expect(failure).toMatchObject({ file: DATA, message: expect.stringMatching(message) })
  })

  test.each([
    ['a data file that the header does not count', one({ shard: 1 }), /lies in data file 1 of 1/],
    ['a negative dimension', one({ shape: [-1] }), /has -1 for its dimension/],
    ['a negative offset', one({ offset: -8 }), /has -8 for its offset/],
    ['no header', { [INDEX]: table([]) }, /header, whose key is empty, is missing/],
    ['a first key that is not the header’s', { [INDEX]: table([[bytesOf('x'), headerBytes(1)]]) }, /header/],
    ['a big-endian machine', { [INDEX]: table([[new Uint8Array(0), headerBytes(1, true)]]) }, /big-endian/],
    ['no index', {}, /missing in model/],
    ['an empty index', { [INDEX]: new Uint8Array(0) }, /the file is empty/],
    [
      'a pointer',
      { [INDEX]: bytesOf(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\n`) },
      /Git LFS/,
    ],
    ['an index read as text', { [INDEX]: mangled(one({})[INDEX]) }, /times EF BF BD, so it was read as UTF-8 text/],
  ])('%s', async (_, files, message) => {
    const failure = await open(files).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(CorruptModelError)
    expect(failure).toMatchObject({ file: INDEX, message: expect.stringMatching(message) })
  })

  test('a missing data file is named', async () => {
    const files = checkpoint(
      { a: stored(DT.int8, [1], Int8Array.of(1)), x: stored(DT.int8, [1], Int8Array.of(1), 1) },
      { shards: 2 },
    )
    delete files['variables/variables.data-00001-of-00002']
    const model = await open(files)
    await expect(model.read('x')).rejects.toMatchObject({ file: 'variables/variables.data-00001-of-00002' })
    await expect(model.read('a')).resolves.toBeDefined()
  })

  test('a data file read as text is told', async () => {
    const bytes = raw(Float32Array.from({ length: 64 }, (_, i) => -1 / (i + 1)))
    const files = one({ shape: [64], size: 256, crc32c: mask(crc(bytes)) }, mangled(bytes))
    await expect((await open(files)).read('x')).rejects.toThrow(/read as UTF-8 text/)
  })

  test.each([
    ['variant', DT.variant],
    ['an unknown dtype', DT.float8_e5m2],
  ])('%s is refused only when it is read', async (name, dtype) => {
    const model = await open(one({ dtype }))
    expect(model.entries.get('x')?.shape).toEqual([2])
    await expect(model.read('x')).rejects.toThrow(TypeError)
    await expect(model.read('x')).rejects.toThrow(`"x" of the checkpoint has ${name} (DataType ${dtype}`)
  })

  test('an unknown key is named beside some that are there', async () => {
    const model = await open(one({}))
    await expect(model.read('y')).rejects.toThrow(RangeError)
    await expect(model.read('y')).rejects.toThrow('no tensor "y"; it has 1, such as "x"')
  })

  test('strings whose lengths are damaged are found by the checksum of the lengths', async () => {
    const files = checkpoint({ x: storedStrings([2], [bytesOf('ab'), bytesOf('c')]) })
    files[DATA][0] = 1
    files[DATA][1] = 2
    await expect((await open(files)).read('x')).rejects.toThrow(/checksum of its strings' lengths/)
  })

  test('strings that do not take all their bytes are refused', async () => {
    const good = storedStrings([1], [bytesOf('ab')])
    const lengths = raw(Uint32Array.of(2))
    const long = join(good.bytes, bytesOf('c'))
    const sum = crc(join(lengths, good.bytes.subarray(1, 5), bytesOf('abc')))
    const files = checkpoint({ x: { ...good, bytes: long, crc: sum } })
    await expect((await open(files)).read('x')).rejects.toThrow(/its strings take 2 bytes, 3 are there/)
  })
})

const bound = (model: Checkpoint) => ({ read: (key: string) => model.read(key) })

/** What is left of binary bytes that went through a string. */
const mangled = (bytes: Uint8Array): Uint8Array => new TextEncoder().encode(new TextDecoder().decode(bytes))
