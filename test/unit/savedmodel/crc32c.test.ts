import { expect, test } from 'vitest'
import { crc32c, masked } from '../../../src/checksum/crc32c.ts'
import { bytesOf, crc, mask } from './write.ts'

test.each([
  ['nothing', new Uint8Array(0), 0],
  ['"123456789", the check value of the polynomial', bytesOf('123456789'), 0xe3069283],
  ['32 zeros, RFC 3720 B.4', new Uint8Array(32), 0x8a9136aa],
  ['32 ones, RFC 3720 B.4', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31, RFC 3720 B.4', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['31 to 0, RFC 3720 B.4', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
])('the CRC-32C of %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

test('every length up to three steps of eight, in two parts at every place, gives the CRC of its definition', () => {
  const bytes = Uint8Array.from({ length: 25 }, (_, i) => (i * 151 + 7) & 0xff)
  for (let length = 0; length <= bytes.length; length++) {
    const whole = bytes.subarray(0, length)
    for (let cut = 0; cut <= length; cut++) {
      expect(crc32c(whole.subarray(cut), crc32c(whole.subarray(0, cut)))).toBe(crc(whole))
    }
  }
})

test('masking rotates by 15 bits and adds the constant of LevelDB', () => {
  expect(masked(0)).toBe(0xa282ead8)
  for (const value of [1, 0x7fff, 0x8000, 0xe3069283, 0xffffffff]) expect(masked(value)).toBe(mask(value))
})
