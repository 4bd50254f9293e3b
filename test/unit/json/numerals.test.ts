import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readNumerals } from '../../../src/json/numerals.ts'
import { parseJson } from '../../../src/json/parse.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const read = (text: string) => readNumerals(bytesOf(text))

/** Decimals of all lengths: near to a double's half, past its digits, with exponents. */
const decimal = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map(String),
  fc.tuple(fc.double({ noNaN: true, min: -1, max: 1 }), fc.nat(30)).map(([value, digits]) => value.toFixed(digits)),
  fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 19n }), fc.nat(24)).map(([value, places]) => {
    const digits = String(value).padStart(places + 1, '0')
    return places === 0 ? digits.slice(0, 15) : `${digits.slice(0, -places)}.${digits.slice(-places)}`
  }),
  fc.constantFrom('0', '-0', '0.0', '-0.0', '1e3', '12E-4', '2.5e+7', '9007199254740991', '0.1', '999999999.999999999'),
)

describe('JSON of numbers, read from its bytes', () => {
  test('is what JSON.parse reads, to the last bit', () => {
    fc.assert(
      fc.property(fc.array(decimal, { minLength: 1 }), fc.constantFrom(',', ', ', ' ,\n\t'), (numbers, comma) => {
        const text = `{"instances": [[${numbers.join(comma)}]]}`
        const right = numbers.every((number) => Math.abs(Number(number)) < 2 ** 53) ? JSON.parse(text) : undefined
        expect(read(text)).toEqual(right)
      }),
      { numRuns: 500 },
    )
  })

  test('rounds once where a decimal lies a digit beside the middle of two doubles, and in it', () => {
    const middles = [...Array(200).keys()].flatMap((i) => {
      // 2^53 + odd numbers lie in the middle; a tenth, a hundredth … of them have as many digits.
      const middle = 2n ** 53n + BigInt(2 * i + 1)
      return [middle - 1n, middle, middle + 1n].flatMap((each) => [
        `${each}.0`,
        `${each}.01`,
        `${each / 10n}.${each % 10n}`,
      ])
    })
    const text = `[${middles.join(', ')}]`
    // Past 2^53 it is left to parseJson.
    expect(read(text)).toBeUndefined()
    const small = middles.filter((each) => Number(each) < 2 ** 53)
    expect(read(`[${small.join(',')}]`)).toEqual(small.map(Number))
    expect(small.length).toBeGreaterThan(400)
  })

  test('reads names, short strings and nesting beside them', () => {
    const text = '  {"signature_name": "rows", "instances": [{"x": [[1, 2.5], [-3e2], []]}, {}]}\n'
    expect(read(text)).toEqual(JSON.parse(text))
    const odd = read('{"__proto__": [1], "2": 2, "1": 1, "1": 3}')
    expect(odd).toEqual(JSON.parse('{"__proto__": [1], "2": 2, "1": 1, "1": 3}'))
    expect(Object.keys(odd as object)).toEqual(['1', '2', '__proto__'])
  })

  test('leaves to parseJson what it does not read for sure', () => {
    for (const text of [
      '["é"]',
      '["\\u0041"]',
      '[true]',
      '[null]',
      '[NaN]',
      '[-Infinity]',
      '[9007199254740993]',
      '[1e300]',
      '[1e999]',
      '7',
      `${'['.repeat(20)}1${']'.repeat(20)}`,
      `[${'"a", '.repeat(20)}1]`,
      `["${'a'.repeat(100)}"]`,
    ]) {
      expect(read(text), text).toBeUndefined()
      expect(() => parseJson(text), text).not.toThrow(/expected nothing/)
    }
  })

  test('takes nothing that is no JSON', () => {
    const wrong = [
      '',
      ' ',
      ']',
      '}',
      '[01]',
      '[1.]',
      '[.5]',
      '[+1]',
      '[-]',
      '[1e]',
      '[1.e5]',
      '[1 2]',
      '[1,]',
      '[,1]',
      '[1',
      '[1}',
    ]
    wrong.push(
      '[1]]',
      '[[1]',
      '{"a" 1}',
      '{"a": 1,}',
      '{a: 1}',
      '{"a"}',
      '["a]',
      '[1]x]',
      '[--1]',
      '[1-2]',
      '[0x1]',
      '[1\u00a0]',
    )
    for (const text of wrong) {
      expect(read(text), text).toBeUndefined()
      expect(() => JSON.parse(text), text).toThrow(SyntaxError)
    }
  })

  test('says of any text what parseJson says, or nothing', () => {
    const piece = fc.constantFrom(...'[[[]]]{}"",,::  0123456789.-eE+a\n'.split(''))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const text = pieces.join('')
        const value = read(text)
        if (value !== undefined) expect(value).toEqual(JSON.parse(text))
      }),
      { numRuns: 5000 },
    )
  })
})
