import { describe, expect, test } from 'vitest'
import { Attrs } from '../../../src/graph/index.ts'
import { ops } from '../../../src/ops/regexes.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const attrs = (pattern: string, rewrite: string, global = true): Attrs =>
  new Attrs({ pattern: bytes(pattern), rewrite: bytes(rewrite), replace_global: global })

describe('what a node loads before it runs', () => {
  test('nothing, to replace the characters of a class', () => {
    expect(ops.StaticRegexReplace.prepare?.(attrs('[!-/:-@]', ''))).toBeUndefined()
    expect(ops.StaticRegexReplace.prepare?.(attrs('\\s+', ' '))).toBeUndefined()
  })

  test.each([
    ['a class that reaches past ASCII', attrs('[^a-z]', '')],
    ['a group of the match in the rewrite', attrs('[a-z]', '<\\0>')],
    ['the first match only', attrs('[a-z]', '', false)],
    ['any other pattern', attrs('(a|bc)+$', '')],
  ])('the library of regular expressions, for %s', async (_, node) => {
    expect(ops.StaticRegexReplace.prepare?.(node)).toBeInstanceOf(Promise)
  })
})
