import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Json, parseJson } from '../../../src/json/parse.ts'
import { float32Text, float64Text, jsonText } from '../../../src/json/text.ts'

describe('JSON as TensorFlow Serving speaks it', () => {
  test('reads bare NaN and infinities', () => {
    expect(() => parseJson('[1e309]')).toThrow(/a number that a double can hold at position 6, got 1e309/)
    expect(parseJson('[1e100, -NaN, Inf, -Inf]')).toEqual([1e100, Number.NaN, Infinity, -Infinity])
    expect(parseJson('[NaN, Infinity, -Infinity]')).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ])
  })

  test('keeps an integer past 2^53 in full, and one within it a number', () => {
    expect(parseJson('[9223372036854775807, -9223372036854775808, 9007199254740991, 9007199254740993]')).toEqual([
      9223372036854775807n,
      -9223372036854775808n,
      9007199254740991,
      9007199254740993n,
    ])
  })

  test('finds a large integer wherever one may stand', () => {
    for (const text of [
      '9007199254740993',
      ' 9007199254740993 ',
      '[1,9007199254740993]',
      '{"a":9007199254740993}',
      '[\n9007199254740993\n]',
    ])
      expect(
        JSON.stringify(parseJson(text), (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
      ).toContain('"9007199254740993n"')
    expect(parseJson('[-9007199254740993, 1234567890123456.5, 1234567890123456e3]')).toEqual([
      -9007199254740993n,
      1234567890123456.5,
      1234567890123456e3,
    ])
  })

  test('reads a long fraction and a long exponent as numbers', () => {
    expect(parseJson('[0.30000000000000004, 12345678901234567e-16]')).toEqual([0.1 + 0.2, 1.2345678901234567])
  })

  test('leaves the words alone inside strings', () => {
    expect(parseJson('{"NaN": "Infinity 12345678901234567890 \\"NaN\\""}')).toEqual({
      NaN: 'Infinity 12345678901234567890 "NaN"',
    })
  })

  test('keeps a member called __proto__', () => {
    const value = parseJson('{"__proto__": [NaN]}') as { readonly [name: string]: Json }
    expect(Object.keys(value)).toEqual(['__proto__'])
  })

  test('tells integers from other numbers where it is asked to', () => {
    expect(parseJson('[1, 1.0, 1e0, -0, "1", [2]]', 'bigints')).toEqual([1n, 1, 1, 0n, '1', [2n]])
  })

  test('writes what it read: integers in full digits, NaN and infinities bare', () => {
    const text = '{"id": 9007199254740993, "__proto__": [NaN, -Infinity, null, true, "a\\n"], "x": {"y": [-0, 0.1]}}'
    expect(jsonText(parseJson(text))).toBe(text)
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(jsonText(value as Json))).toEqual(value)
      }),
    )
  })

  test('reads what JSON.parse reads, with a NaN beside it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        fc.pre(!/\d{16}/.test(text))
        expect(JSON.stringify((parseJson(`[NaN, ${text}]`) as readonly Json[])[1])).toBe(text)
      }),
    )
  })

  test.each([
    '[NaN',
    '[NaN,]',
    '{"a" NaN}',
    '{NaN: 1}',
    '[NaN] 1',
    '[NaN, 01]',
    '[NaN, "\\x"]',
    '[NaN, "\n"]',
    `NaN${'['.repeat(9)}`,
  ])('refuses %j with a position', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
  })

  // rapidjson: kParseErrorStringUnicodeSurrogateInvalid, kParseErrorNumberTooBig.
  test.each(['"\\ud800"', '["a", "\\uDFFF\\uD83D"]', '{"\\udc00": 1}', '[NaN, "\ud800"]'])(
    'refuses %s, which UTF-8 has no bytes for',
    (text) => {
      expect(() => parseJson(text)).toThrow(/in whole surrogate pairs at position \d+, got "/)
    },
  )

  test('refuses numbers that no double holds, long ones without a large exponent too', () => {
    for (const text of [`1${'0'.repeat(308)}9.5`, `[-${'9'.repeat(250)}e90]`])
      expect(() => parseJson(text)).toThrow(/a number that a double can hold/)
  })

  test('takes whole surrogate pairs, escaped or not', () => {
    expect(parseJson('["\\ud83d\\ude00", "😀", "\\\\ud800"]')).toEqual(['😀', '😀', '\\ud800'])
  })

  test('refuses nesting that would exhaust the stack', () => {
    expect(() => parseJson(`${'['.repeat(100_000)}NaN`)).toThrow(SyntaxError)
  })

  test('refuses the same nesting whether a word that JSON lacks is in it or not', () => {
    for (const item of ['NaN', '1', '"a"', '{}'])
      for (const levels of [501, 20_000])
        expect(() => parseJson('['.repeat(levels) + item + ']'.repeat(levels))).toThrow(/at most 500 levels/)
    expect(() => parseJson('['.repeat(499) + 1 + ']'.repeat(499))).not.toThrow()
  })

  test('reads a string of any length beside a NaN, and knows its end by the backslashes before it', () => {
    const long = 'x'.repeat(20_000_000)
    expect((parseJson(`[NaN, "${long}"]`) as string[])[1].length).toBe(long.length)
    for (const text of ['', '\\', '"', 'a\\"', '\\\\', '","', '\n'])
      expect(parseJson(`[NaN, ${JSON.stringify(text)}, 1]`)).toEqual([Number.NaN, text, 1])
    for (const open of ['[NaN, "a', '[NaN, "a\\"', '[NaN, "', '[NaN, "a\\\\\\"]'])
      expect(() => parseJson(open)).toThrow(/expected a string/)
  })
})

describe('numbers as text', () => {
  test('a float32 comes back from the shortest text', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = float32Text(value)
        expect(Object.is(Math.fround(Number(text)), value)).toBe(true)
        expect(text.length).toBeLessThanOrEqual(Object.is(value, -0) ? 2 : String(value).length)
      }),
    )
  })

  test.each([
    [0.1, '0.1'],
    [16777216, '16777216'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [1e-45, '1e-45'],
    [-0, '-0'],
    [-266.390625, '-266.39063'],
    [0.001, '0.001'],
    [999.99994, '999.99994'],
  ])('the float32 %d is written %s', (value, text) => {
    expect(float32Text(Math.fround(value))).toBe(text)
  })

  test('a double comes back too, and never shows sixteen digits in a row', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = float64Text(value)
        expect(Object.is(Number(text), value)).toBe(true)
        expect(/\d{16,}(?![\d.eE])/.test(text)).toBe(false)
      }),
    )
  })
})
