import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sliceKey } from '../../../src/savedmodel/orderedcode.ts'
import { hex, internalKey } from './write.ts'

const span = (start: number, length: number | null) => ({ start, length })

test.each([
  ['10 rows of "part"', 'part', [span(0, 10), span(0, null)], '00 70617274 0001 0102 80 8a 80 7f'],
  ['30 rows and 2 columns', 'part', [span(10, 30), span(0, 2)], '00 70617274 0001 0102 8a 9e 80 82'],
  [
    'numbers of two and three bytes',
    'wideÿ',
    [span(100, 200), span(0, 66000)],
    '00 77696465c3bf 0001 0102 c064 c0c8 80 e101d0',
  ],
])('the key of %s is the one that TensorFlow 2.15 writes', (_, name, extents, expected) => {
  expect(sliceKey(name, extents)).toEqual(hex(expected))
})

test('keys of any name and extents have the bits that the encoding asks for', () => {
  const number = fc.oneof(fc.nat(200), fc.nat(), fc.maxSafeNat(), fc.constantFrom(63, 64, 8191, 8192, 2 ** 48, 2 ** 52))
  const extent = fc.tuple(number, fc.option(number))
  fc.assert(
    fc.property(fc.string(), fc.array(extent, { minLength: 1, maxLength: 4 }), (name, extents) => {
      const spans = extents.map(([start, length]) => (length === null ? null : ([start, length] as const)))
      const stored = spans.map((pair) => span(pair?.[0] ?? 0, pair?.[1] ?? null))
      expect(sliceKey(name, stored)).toEqual(internalKey(name, spans))
    }),
  )
})
