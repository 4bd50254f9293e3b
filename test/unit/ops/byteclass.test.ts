import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { ByteClass } from '../../../src/ops/text/byteclass.ts'
import { StringsBuilder } from '../../../src/tensor/index.ts'

const PATTERNS = [
  '[!"#$%&()*+,-./:;<=>?@[\\\\\\]^_`{|}~\\t\\n]',
  '[!"#$%&()\\*\\+,-\\./:;<=>?@\\[\\\\\\]^_`{|}~\\\']',
  '[^a-z0-9 ]',
  '[^A-Za-z]+',
  '\\s+',
  '\\s',
  '\\d+',
  '[\\w.-]+',
  '[]a]',
  '[^]a]+',
  '[a-]',
  '[-a]+',
  ' +',
  ',',
  '\\.',
  '[\\s\\d]',
]

const replaced = (byteClass: ByteClass, text: Uint8Array, by: Uint8Array): string => {
  const out = new StringsBuilder()
  byteClass.replace(out, text, 0, text.length, by)
  out.close()
  return Buffer.from(out.finish().at(0)).toString('utf8')
}

describe('a class of bytes', () => {
  for (const pattern of PATTERNS) {
    test(`${pattern} replaces what the regex engine replaces`, () => {
      const byteClass = ByteClass.of(pattern) as ByteClass
      expect(byteClass).not.toBeNull()
      const text = fc.oneof(
        fc.string({ unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)), maxLength: 60 }),
        fc.string({ unit: 'binary', maxLength: 20 }),
      )
      fc.assert(
        fc.property(text, fc.constantFrom('', '_', 'é-'), (value, by) => {
          const bytes = Buffer.from(value)
          fc.pre(byteClass.fits(bytes, 0, bytes.length))
          const wanted = RE2JS.compile(pattern).matcher(bytes.toString('utf8')).replaceAll(by)
          expect(replaced(byteClass, bytes, Buffer.from(by))).toBe(wanted)
        }),
      )
    })
  }

  test('holds every ASCII character that the regex engine says it holds, and no other', () => {
    for (const pattern of PATTERNS) {
      for (let code = 0; code < 128; code++) {
        const char = String.fromCharCode(code)
        const matches = RE2JS.compile(pattern).matches(char)
        expect(replaced(ByteClass.of(pattern) as ByteClass, Buffer.from(char), Buffer.from('')), pattern).toBe(
          matches ? '' : char,
        )
      }
    }
  })

  test('is nothing more than that', () => {
    for (const pattern of [
      'ab',
      '[a',
      '[[:alpha:]]',
      '[\\pL]',
      '[é]',
      'a*',
      '[a]?',
      '(?i)[a]',
      '^',
      '.',
      '[z-a]',
      '[\\d-z]',
      '\\b',
      '[a]|b',
      '',
    ])
      expect(ByteClass.of(pattern), pattern).toBeNull()
  })

  test('leaves text beyond ASCII to the engine where it is negated', () => {
    const [negated, plain] = [ByteClass.of('[^a]') as ByteClass, ByteClass.of('[a]') as ByteClass]
    const text = Buffer.from('aé')
    expect(negated.fits(text, 0, text.length)).toBe(false)
    expect(plain.fits(text, 0, text.length)).toBe(true)
  })
})
