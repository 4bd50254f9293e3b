import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CorruptModelError } from '../../../src/errors.ts'
import { readTable } from '../../../src/savedmodel/sstable.ts'
import { bytesOf, crc, fixed32, hex, join, mask, table, varint } from './write.ts'

const pairsOf = (count: number): [Uint8Array, Uint8Array][] =>
  Array.from({ length: count }, (_, i) => [bytesOf(`layer/${String(i).padStart(4, '0')}/kernel`), bytesOf(`${i}`)])

const read = (bytes: Uint8Array): [Uint8Array, Uint8Array][] =>
  readTable(bytes, 'x.index').map(({ key, value }) => [key, Uint8Array.from(value)])

const key = fc.uint8Array({ maxLength: 12, max: 3 })
const layout = fc.record({
  blockBytes: fc.integer({ min: 1, max: 200 }),
  restartEvery: fc.integer({ min: 1, max: 20 }),
  snappy: fc.boolean(),
})

test('any sorted pairs come back from any layout of blocks, restarts and compression', () => {
  const pairs = fc.uniqueArray(fc.tuple(key, fc.uint8Array({ maxLength: 40 })), {
    maxLength: 60,
    selector: ([name]) => Buffer.from(name).toString('hex'),
  })
  fc.assert(
    fc.property(pairs, layout, (unsorted, options) => {
      const sorted = [...unsorted].sort(([a], [b]) => Buffer.compare(a, b))
      expect(read(table(sorted, options))).toEqual(sorted)
    }),
  )
})

test('a thousand keys that share prefixes come back from many Snappy blocks', () => {
  const pairs = pairsOf(1000)
  expect(read(table(pairs, { snappy: true, blockBytes: 500 }))).toEqual(pairs)
})

test('the empty table of LevelDB is read', () => {
  expect(read(table([]))).toEqual([])
})

test('keys out of order are refused, also across blocks', () => {
  for (const blockBytes of [1, 4096]) {
    expect(() => read(table(pairsOf(3).reverse(), { blockBytes }))).toThrow(/ascending order/)
    expect(() => read(table([...pairsOf(1), ...pairsOf(1)], { blockBytes }))).toThrow(/ascending order/)
  }
})

test('a flipped bit in a block is named with its place and both checksums', () => {
  const bytes = table(pairsOf(3))
  bytes[5] ^= 1
  expect(() => read(bytes)).toThrow(
    /^x\.index: the block at byte 0 is damaged: its checksum is 0x[0-9a-f]{8}, its bytes give 0x/,
  )
})

test('another kind of file is told by its missing magic number', () => {
  expect(() => read(bytesOf('x'.repeat(100)))).toThrow(/magic number/)
  expect(() => read(bytesOf('x'))).toThrow(/at least 48 bytes, got 1/)
})

test('a compression that is not defined is refused', () => {
  const bytes = table(pairsOf(1))
  const body = join(firstBlock(bytes), Uint8Array.of(2))
  expect(() => read(join(body, fixed32(mask(crc(body))), bytes.subarray(body.length + 4)))).toThrow(/compression 2/)
})

test('two index entries for one block are refused, so that a small file cannot ask for much work', () => {
  const first = firstBlock(table(pairsOf(1)))
  const handle = join(hex('00'), Uint8Array.of(first.length))
  // A data block that holds the two handles serves as the index block of a file that begins with `first`.
  const contents = firstBlock(
    table([
      [bytesOf('a'), handle],
      [bytesOf('b'), handle],
    ]),
  )
  const seal = (block: Uint8Array): Uint8Array => {
    const body = join(block, Uint8Array.of(0))
    return join(body, fixed32(mask(crc(body))))
  }
  const data = seal(first)
  const footer = join(hex('00 00'), Uint8Array.of(data.length, contents.length))
  const file = join(data, seal(contents), footer, new Uint8Array(40 - footer.length), hex('57fb808b247547db'))
  expect(() => read(file)).toThrow(/lies over the one before it/)
})

/** A table whose only data block has `contents`, with a right checksum. */
const tableOf = (contents: Uint8Array): Uint8Array =>
  table(pairsOf(1), { alter: (written, kind) => (kind === 'data' ? contents : written) })

test.each([
  [
    'a key that shares more than the key before it has',
    hex('0001 00 61 0201 00 62 00000000 01000000'),
    /shares 2 bytes with one of 1/,
  ],
  ['more restarts than it has room for', hex('00000000 03000000'), /8 bytes cannot hold 3 restarts/],
  ['no restart count', hex('000000'), /3 bytes has no restart count/],
  ['a value past its end', hex('0001 05 61 00000000 01000000'), /5 bytes wanted at byte 4, 0 are left/],
])('a block with %s is refused', (_, contents, message) => {
  expect(() => read(tableOf(contents))).toThrow(CorruptModelError)
  expect(() => read(tableOf(contents))).toThrow(message)
})

test('a small file whose keys share so much that they would fill the memory is refused', () => {
  const size = 2 ** 22
  const first = join(varint(0), varint(size), varint(0), new Uint8Array(size).fill(1))
  const rest = Array.from({ length: 80 }, (_, i) => join(varint(size), varint(1), varint(0), Uint8Array.of(i)))
  expect(() => read(tableOf(join(first, ...rest, fixed32(0), fixed32(1))))).toThrow(
    /keys take more than 268435456 bytes/,
  )
})

test('blocks with right checksums and wrong contents give CorruptModelError or other entries, nothing else', () => {
  const flip = fc.record({ at: fc.nat(), to: fc.nat(255) })
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 4 }), fc.boolean(), (flips, snappy) => {
      const alter = (contents: Uint8Array): Uint8Array => {
        const altered = Uint8Array.from(contents)
        for (const { at, to } of flips) altered[at % altered.length] = to
        return altered
      }
      const bytes = table(pairsOf(20), { blockBytes: 100, snappy, alter })
      try {
        read(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptModelError)
      }
    }),
    { numRuns: 500 },
  )
})

/** The contents of the first block: the shortest that the checksum after it fits. */
function firstBlock(bytes: Uint8Array): Uint8Array {
  for (let end = 8; end < bytes.length; end++) {
    const body = bytes.subarray(0, end + 1)
    if (Buffer.compare(fixed32(mask(crc(body))), bytes.subarray(end + 1, end + 5)) === 0) return bytes.subarray(0, end)
  }
  throw new Error('the table has no first block')
}
