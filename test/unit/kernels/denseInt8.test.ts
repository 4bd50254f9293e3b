import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packInt8, toInt8, unpackInt8 } from '../../../src/tensor/panelsint8.ts'
import { denseInt8Cases } from './denseInt8.ts'
import { expectClose, Host, randoms } from './instance.ts'

describe('denseInt8, baseline', () => denseInt8Cases('baseline', 1))
describe('denseInt8, relaxed, in pairs', () => denseInt8Cases('relaxed', 1))

describe('pairsBytes', () => {
  it('is 1 in the baseline build, which has one way, and says 0 or 1 in the relaxed', () => {
    expect(new Host('baseline').kernels.pairsBytes()).toBe(1)
    expect([0, 1]).toContain(new Host('relaxed').kernels.pairsBytes())
  })
})

describe('toInt8', () => {
  const matrix = fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20 }))
    .chain(([k, n]) =>
      fc.tuple(
        fc.constant(k),
        fc.constant(n),
        fc.array(fc.float({ noNaN: true, min: -(2 ** 100), max: 2 ** 100 }), { minLength: k * n, maxLength: k * n }),
      ),
    )

  it('keeps every weight within 127, and every four that are added in 16 bits within 256', () => {
    fc.assert(
      fc.property(matrix, ([k, n, values]) => {
        const { weights } = toInt8(Float32Array.from(values), k, n)
        for (let j = 0; j < n; j++) {
          const at = (i: number) => (i < k ? Math.abs(weights[i * n + j]) : 0)
          for (let i = 0; i < k; i++) expect(at(i)).toBeLessThanOrEqual(127)
          for (let i = 0; i < k; i += 8)
            for (const first of [i, i + 2])
              expect(at(first) + at(first + 1) + at(first + 4) + at(first + 5)).toBeLessThanOrEqual(256)
        }
      }),
    )
  })

  it('is within half a step of each weight', () => {
    const [k, n] = [64, 16]
    const values = randoms(k * n, 3)
    const { weights, factors, scales } = toInt8(values, k, n)
    values.forEach((value, at) => {
      const [factor, scale] = [factors[Math.floor(at / n)], scales[at % n]]
      expect(Math.abs(weights[at] * scale * factor - value)).toBeLessThanOrEqual(scale * factor * 0.50001)
    })
  })

  it('gives a row of a hundredth the weights a hundredth the factor, and the same bytes', () => {
    const { weights, factors } = toInt8(Float32Array.of(0.5, -1, 0.005, 0.01), 2, 2)
    expectClose(factors, [1, 0.01], 1e-8)
    expect([...weights]).toEqual([127, -127, 127, 127])
  })

  it('gives a column of zeros the scale 0, and a row of zeros the factor 0', () => {
    const { weights, factors, scales } = toInt8(Float32Array.of(0, 2, 0, -2, 0, 0), 3, 2)
    expect([...weights]).toEqual([0, 127, 0, -127, 0, 0])
    expect([...factors]).toEqual([1, 1, 0])
    expect([...scales]).toEqual([0, Math.fround(2 / 127)])
  })
})

describe('packInt8', () => {
  it('puts four rows of a column together, column after column, and zeros past the last', () => {
    const packed = packInt8(Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 5, 2)
    expect(packed).toHaveLength(16 * 8)
    expect([...packed.subarray(0, 12)]).toEqual([1, 3, 5, 7, 2, 4, 6, 8, 0, 0, 0, 0])
    expect([...packed.subarray(64, 76)]).toEqual([9, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0])
  })

  it('is undone by unpackInt8', () => {
    const matrix = fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
      .chain(([k, n]) => fc.tuple(fc.constant(k), fc.constant(n), fc.int8Array({ minLength: k * n, maxLength: k * n })))
    fc.assert(
      fc.property(matrix, ([k, n, bytes]) => {
        expect(unpackInt8(packInt8(bytes, k, n), k, n)).toEqual(bytes)
      }),
    )
  })

  it('refuses an array of another size, with both numbers', () => {
    expect(() => packInt8(new Int8Array(5), 2, 3)).toThrow(
      new RangeError('weights of a 2 × 3 matrix has 6 bytes, got 5'),
    )
    expect(() => unpackInt8(new Int8Array(6), 2, 3)).toThrow(
      new RangeError('packed of a 2 × 3 matrix has 128 bytes, got 6'),
    )
  })
})
