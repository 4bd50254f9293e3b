import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { Alternatives } from '../../../src/ops/text/alternatives.ts'
import { isWhiteSpace } from '../../../src/ops/text/characters.ts'
import { StringsBuilder } from '../../../src/tensor/index.ts'

const BERT = String.raw`\s+|[!-/]|[:-@]|[\[-${'`'}]|[{-~]|[\p{P}]|[\x{4E00}-\x{9FFF}]|[\x{20000}-\x{2A6DF}]`
const PATTERNS = [
  BERT,
  `(${BERT})`,
  String.raw`\p{Mn}`,
  String.raw`\p{Cc}|\p{Cf}`,
  '[^a-z]+',
  'a|[ab]+',
  '[ab]+|b',
  'é|日',
  String.raw`[\]x-]+|\.`,
  String.raw`\W|\d+`,
]
const OTHERS = [
  'ab',
  'a*',
  '(a)|b',
  '(?:a)',
  '^a',
  'a|',
  'a$',
  '.',
  String.raw`\bx`,
  'a+?',
  '[[:alpha:]]',
  '(a|b)c',
  String.raw`\Qa\E`,
  '',
]

const encoder = new TextEncoder()
const character = fc.constantFrom(
  ...' \t\na',
  'b',
  'x',
  '-',
  ']',
  '.',
  ',',
  '0',
  'é',
  '日',
  '𠀀',
  '\u0301',
  '\u200b',
  '\u0007',
  '“',
  '👩',
)
const texts = fc.array(character, { maxLength: 12 }).map((parts) => parts.join(''))

describe('alternatives of classes', () => {
  for (const pattern of PATTERNS) {
    test(`${pattern} replaces what the regex engine replaces`, () => {
      const alternatives = Alternatives.of(pattern)
      const engine = RE2JS.compile(pattern)
      fc.assert(
        fc.property(texts, (text) => {
          const bytes = encoder.encode(text)
          const out = new StringsBuilder()
          alternatives?.replace(out, bytes, 0, bytes.length, encoder.encode('<>'))
          out.close()
          expect(out.finish().text(0)).toBe(engine.matcher(text).replaceAll('<>'))
        }),
      )
    })

    test(`${pattern} matches the whole of what the regex engine does, where it says`, () => {
      const alternatives = Alternatives.of(pattern)
      const engine = RE2JS.compile(pattern)
      fc.assert(
        fc.property(texts, (text) => {
          const answer = alternatives?.fullMatch(encoder.encode(text)) ?? null
          if (answer !== null) expect(answer).toBe(engine.matches(text))
        }),
      )
    })
  }

  test('anything else is left to the regex engine', () => {
    for (const pattern of OTHERS) expect(Alternatives.of(pattern), pattern).toBeNull()
  })
})

test('white space is what Unicode says', () => {
  for (let code = 0; code < 0x10000; code++)
    expect(isWhiteSpace(code)).toBe(/^\p{White_Space}$/u.test(String.fromCharCode(code)))
})
