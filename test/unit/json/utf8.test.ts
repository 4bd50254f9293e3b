import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { float32Text, withPoint } from '../../../src/json/text.ts'
import { floatList, Utf8Writer } from '../../../src/json/utf8.ts'

const decoder = new TextDecoder()

const written = (values: readonly number[]): string => {
  const writer = new Utf8Writer(1)
  writer.floats(Float32Array.from(values))
  return decoder.decode(writer.take())
}

const wanted = (values: readonly number[]): string => `[${Array.from(values, float32Text).join(', ')}]`

describe('floats as bytes', () => {
  test('are the shortest decimals that read back', () => {
    const values = [0, -0, 1, -1, 0.5, 0.1, 100, 123456.79, 999999.94, 1e6, 1e-6, 1e-7, 16777216, 3e38, 1e-45]
    const floats = Array.from(
      Float32Array.from([...values, Number.NaN, Infinity, -Infinity, 0.000123, 1 / 3, 9.9999999]),
    )
    expect(written(floats)).toBe(wanted(floats))
    expect(written([])).toBe('[]')
  })

  test('are what float32Text writes, for any float', () => {
    // Around a power of two the floats lie closer on one side.
    for (let exponent = -21; exponent <= 21; exponent++) {
      const power = 2 ** exponent
      const around = [power * (1 - 2 ** -24), power, power * (1 + 2 ** -23), power * (1 + 2 ** -22)]
      expect(written(around)).toBe(wanted(around))
    }
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: false }), { maxLength: 20 }), (values) => {
        expect(written(values)).toBe(wanted(values))
      }),
    )
    // Embeddings are small: all exponents from 2⁻²⁰ to 2²⁰, where digits are counted here.
    const bits = fc.tuple(fc.integer({ min: 107, max: 147 }), fc.nat(2 ** 23 - 1), fc.boolean())
    fc.assert(
      fc.property(fc.array(bits, { minLength: 100, maxLength: 100 }), (parts) => {
        const words = Uint32Array.from(
          parts,
          ([exponent, fraction, sign]) => ((sign ? 1 << 31 : 0) | (exponent << 23) | fraction) >>> 0,
        )
        const values = Array.from(new Float32Array(words.buffer))
        expect(written(values)).toBe(wanted(values))
      }),
      { numRuns: 200 },
    )
  })

  test('have their point where it is wanted, as withPoint puts it', () => {
    const values = Float32Array.of(
      0,
      -0,
      1,
      -2,
      100,
      0.5,
      123456,
      999999.94,
      1e6,
      16777216,
      3e38,
      1e-7,
      Number.NaN,
      -Infinity,
    )
    expect(floatList(values, true)).toBe(`[${Array.from(values, (value) => withPoint(float32Text(value))).join(', ')}]`)
    expect(floatList(values, true)).toMatch(/^\[0\.0, -0\.0, 1\.0, -2\.0, 100\.0, 0\.5, /)
    expect(floatList(values, false)).toBe(wanted(Array.from(values)))
  })

  test('stand between texts of any kind', () => {
    const writer = new Utf8Writer(2)
    writer.text('{"é": "')
    writer.text('\u{1F600}", ')
    writer.floats(Float32Array.of(1.5, -2))
    writer.text('}\n')
    expect(decoder.decode(writer.take())).toBe('{"é": "\u{1F600}", [1.5, -2]}\n')
    expect(writer.length).toBe(0)
  })
})
