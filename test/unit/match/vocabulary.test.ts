import { describe, expect, test } from 'vitest'
import { readVocabulary } from '../../../src/match/vocabulary.ts'

const read = (text: string) => readVocabulary(text, 'words')

describe('a vocabulary', () => {
  test('is a token a line, WordPiece with its [PAD] first too', () => {
    expect(read('a\r\nb\n')).toEqual({ name: 'words', tokens: ['a', 'b'], plain: true })
    expect(read('[PAD]\n[UNK]\n').tokens).toEqual(['[PAD]', '[UNK]'])
    expect(read('{\n"\n}').tokens).toEqual(['{', '"', '}'])
  })

  test('is what stands before a tab, where there is one in every line', () => {
    expect(read('a\t3\nb\t2\n')).toEqual({ name: 'words', tokens: ['a', 'b'], plain: false })
  })

  test('is a JSON list, or an object of ids', () => {
    expect(read('["a", "b"]')).toMatchObject({ tokens: ['a', 'b'], plain: false })
    expect(read('{"b": 2, "a": 1}')).toMatchObject({ tokens: ['a', 'b'], first: 1, plain: false })
  })

  test.each([
    ['is empty', '', 'words: the vocabulary is empty'],
    ['has a token twice', 'a\nb\na', 'words: the token "a" comes twice'],
    ['leaves an id out', '{"a": 1, "b": 3}', 'words: the ids'],
    ['is a list of numbers', '[1, 2]', 'words: a vocabulary as a JSON list must hold text'],
  ])('that %s is refused', (_, text, message) => {
    expect(() => read(text)).toThrow(message)
  })
})
