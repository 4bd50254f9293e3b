import { describe, expect, test } from 'vitest'
import { type Checksum, xxh32 } from '../../../src/checksum/xxh32.ts'
import { xxh32By } from '../../../src/engine/checksum.ts'
import { bytesOf, VARIANTS } from '../kernels/instance.ts'

/** As libxxhash has them (Python's xxhash 4.1.0), of the first bytes of `pattern`: each way through a stripe, a word, a byte. */
const SUMS: readonly (readonly [length: number, sum: number])[] = [
  [0, 0x02cc5d05],
  [1, 0x002e0d32],
  [3, 0xb15e1825],
  [4, 0xee0ce620],
  [5, 0xd0acae17],
  [15, 0x95da5620],
  [16, 0xa33591f0],
  [17, 0x7e0025b7],
  [20, 0x6b14b2f7],
  [31, 0xa3d11bab],
  [32, 0x51744c60],
  [33, 0x428882bc],
  [48, 0x76d69de1],
  [70, 0xc864ec4d],
  [200, 0x929e3a38],
]
const pattern = Uint8Array.from({ length: 200 }, (_, i) => (i * 151 + 7) & 0xff)

const WAYS: readonly (readonly [string, Checksum])[] = [
  ['in JavaScript', xxh32],
  ...VARIANTS.map(
    (variant) => [`by the ${variant} kernel`, xxh32By(new WebAssembly.Module(bytesOf(variant)))] as const,
  ),
]

describe.each(WAYS)('XXH32 %s', (_, sum) => {
  test.each(SUMS)('of %i bytes', (length, expected) => {
    expect(sum().add(pattern.subarray(0, length)).value).toBe(expected)
  })

  test('of parts, cut at every two places', () => {
    for (const [length, expected] of SUMS.slice(0, -1))
      for (let first = 0; first <= length; first++)
        for (let second = first; second <= length; second++) {
          const parts = sum().add(pattern.subarray(0, first)).add(pattern.subarray(first, second))
          expect(parts.add(pattern.subarray(second, length)).value).toBe(expected)
        }
  })

  test.each([
    [-1, 0x42242096],
    [0, 0xa802944c],
    [1, 0xff4abc57],
    [777, 0xe58c19bb],
  ])('of a mebibyte and %i bytes, in more than one chunk', (more, expected) => {
    const bytes = Uint8Array.from({ length: (1 << 20) + more }, (_, i) => (i * 2654435761) >>> 24)
    expect(sum().add(bytes).value).toBe(expected)
  })
})
