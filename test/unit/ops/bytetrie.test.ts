import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteTrie } from '../../../src/ops/text/bytetrie.ts'

const word = fc.uint8Array({ max: 4, maxLength: 6 })

describe('a trie over bytes', () => {
  test('finds the words that were added, and the longest that a text begins with', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 120 }), word, (words, text) => {
        const trie = new ByteTrie()
        const known = new Map<string, number>()
        words.forEach((each, i) => {
          expect(trie.add(each, i)).toBe(!known.has(each.join()))
          if (!known.has(each.join())) known.set(each.join(), i)
        })
        for (const each of [...words, text]) expect(trie.find(each, 0, each.length)).toBe(known.get(each.join()) ?? -1)
        const lengths = Array.from({ length: text.length }, (_, i) => i + 1)
        const longest = lengths.filter((length) => known.has(text.subarray(0, length).join())).at(-1) ?? 0
        expect(trie.longest(text, 0, text.length)).toBe(longest)
      }),
    )
  })

  test('holds many words', () => {
    const trie = new ByteTrie()
    const encode = (i: number) => new TextEncoder().encode(`word ${i}`)
    for (let i = 0; i < 20000; i++) trie.add(encode(i), i)
    for (let i = 0; i < 20000; i += 7) expect(trie.find(encode(i), 0, encode(i).length)).toBe(i)
    expect(trie.find(encode(20000), 0, encode(20000).length)).toBe(-1)
  })
})
