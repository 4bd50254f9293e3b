import { describe, expect, test } from 'vitest'
import { crc32c } from '../../../src/checksum/crc32c.ts'
import { crc32cBy } from '../../../src/engine/checksum.ts'
import { bytesOf, VARIANTS } from './instance.ts'

describe.each(VARIANTS)('crc32c of the %s module', (variant) => {
  const checksum = crc32cBy(new WebAssembly.Module(bytesOf(variant)))

  test('gives the check value of the polynomial, and nothing for nothing', () => {
    expect(checksum(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
    expect(checksum(new Uint8Array(0))).toBe(0)
  })

  test('equals the reference at every length up to three steps, in two parts at every place', () => {
    const bytes = Uint8Array.from({ length: 25 }, (_, i) => (i * 151 + 7) & 0xff)
    for (let length = 0; length <= bytes.length; length++) {
      for (let cut = 0; cut <= length; cut++) {
        const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut, length)]
        expect(checksum(second, checksum(first))).toBe(crc32c(bytes.subarray(0, length)))
      }
    }
  })

  test.each([-1, 0, 1, 777])('goes on from one chunk to the next: a mebibyte and %i bytes', (more) => {
    const bytes = Uint8Array.from({ length: (1 << 20) + more }, (_, i) => (i * 2654435761) >>> 24)
    expect(checksum(bytes)).toBe(crc32c(bytes))
  })
})
