import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Strings } from '../../../src/tensor/index.ts'

const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
})
const any = fc.oneof(ascii, fc.string({ unit: 'grapheme', maxLength: 9 }))

test('elements come out as they went in, text as text and other bytes as bytes, be all of them ASCII or not', () => {
  const lists = fc.oneof(
    fc.array(ascii, { maxLength: 20 }),
    fc.array(any, { maxLength: 20 }),
    fc.array(fc.oneof(any, fc.constant(Uint8Array.of(0xc3)), fc.constant(Uint8Array.of(0x61, 0xff))), {
      maxLength: 20,
    }),
  )
  fc.assert(
    fc.property(lists, fc.nat(), (list, from) => {
      const all = Strings.from(list)
      expect(all.values()).toEqual(list)
      // Elements that others stand before, in the same bytes.
      const start = from % (list.length + 1)
      expect(new Strings(all.bytes, all.offsets.subarray(start)).values()).toEqual(list.slice(start))
    }),
  )
})
