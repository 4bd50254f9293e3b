import fc from 'fast-check'
import { compress } from 'snappyjs'
import { expect, test } from 'vitest'
import { unsnap } from '../../../src/savedmodel/snappy.ts'
import { bytesOf, hex, join } from './write.ts'

const unpack = (stream: Uint8Array): Uint8Array => unsnap(stream, (problem) => new Error(problem))

test.each([
  ['a short literal', hex('03 08 616263'), 'abc'],
  ['a literal of one length byte', join(hex('46 f0 45'), bytesOf('x'.repeat(70))), 'x'.repeat(70)],
  ['a literal of two length bytes', join(hex('ac02 f4 2b01'), bytesOf('y'.repeat(300))), 'y'.repeat(300)],
  ['a copy of one offset byte', hex('07 08 616263 01 03'), 'abcabca'],
  ['a copy of two offset bytes', hex('05 08 616263 06 0300'), 'abcab'],
  ['a copy of four offset bytes', hex('05 08 616263 07 03000000'), 'abcab'],
  ['a copy that reads what it writes', hex('05 00 61 0e 0100'), 'aaaaa'],
  ['nothing', hex('00'), ''],
])('%s is unpacked', (_, stream, expected) => {
  expect(Buffer.from(unpack(stream)).toString()).toBe(expected)
})

test.each([
  ['no size', ''],
  ['a size larger than what is there', '04 08 616263'],
  ['a size of 1 GiB and three bytes', '8080808004 08 616263'],
  ['a size smaller than what is there', '02 08 616263'],
  ['a literal past the end', '05 10 616263'],
  ['a literal of 4 GiB, which would walk backwards', '05 00 61 fc faffffff'],
  ['a copy from before the beginning', '05 00 61 0e 0200'],
  ['a copy from 0 bytes back', '05 00 61 0e 0000'],
  ['a copy from 4 GiB back', '05 00 61 0f ffffffff'],
  ['a copy without its offset', '05 00 61 0e 01'],
])('a stream with %s is refused', (_, stream) => {
  expect(() => unpack(hex(stream))).toThrow()
})

test('what snappyjs packs comes back', () => {
  const repetitive = fc
    .array(fc.constantFrom('a', 'bc', 'layer/kernel/', '\0\0'), { maxLength: 400 })
    .map((words) => bytesOf(words.join('')))
  fc.assert(
    fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      expect(unpack(compress(bytes))).toEqual(bytes)
    }),
  )
})
