import { concatBytes, StringIndex, Strings } from '../../tensor/index.ts'
import { caseFold } from './normalize.ts'
import { characterAt, lengthOf } from './utf8.ts'

// BERT's tokenizer as tensorflow_text has it (BertTokenizer = BasicTokenizer + WordpieceTokenizer).

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Without combining marks, by decomposition: é becomes e. */
export const stripAccents = (text: string): string => text.normalize('NFD').replace(/\p{Mn}/gu, '')

/** BasicTokenizer's delimiters: white space, which is dropped, and punctuation and CJK ideographs, which are tokens. */
const SPACE = /[\t\n\f\r ]/
const ALONE =
  /[!-/:-@[-`{-~\p{P}\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B820}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/u

/**
 * Words, punctuation and ideographs of `text`. Control and format characters count as spaces. With `lowerCase` the text
 * is case-folded and loses its accents first.
 */
export function basicTokens(text: Uint8Array, lowerCase: boolean): Uint8Array[] {
  let plain = decoder.decode(text)
  if (lowerCase) plain = stripAccents(caseFold(plain))
  const tokens: string[] = []
  let word = ''
  const end = () => {
    if (word !== '') tokens.push(word)
    word = ''
  }
  for (const char of plain.replace(/\p{Cc}|\p{Cf}/gu, ' ')) {
    if (SPACE.test(char)) end()
    else if (ALONE.test(char)) {
      end()
      tokens.push(char)
    } else word += char
  }
  end()
  return tokens.map((token) => encoder.encode(token))
}

export interface Wordpieces {
  /** The vocabulary: whether it has the token `bytes[start … end)`. */
  readonly has: (bytes: Uint8Array, start: number, end: number) => boolean
  /** In front of a piece that continues a word, `##`. */
  readonly suffix: Uint8Array
  /** A piece has no more characters; 0 says that there is no limit. */
  readonly mostCharacters: number
  /** Whether a character that has no piece is cut off alone, instead of making the whole word unknown. */
  readonly splitUnknown: boolean
}

/** Cuts words into the longest pieces of a vocabulary, from their beginning (wordpiece_tokenizer.cc). */
export class WordpieceCutter {
  private readonly pieces: Wordpieces
  /** The suffix, then the word; where a later piece is looked up, the suffix lies over what is done. */
  private scratch = new Uint8Array(256)
  private characterEnds: number[] = []
  /** Where the pieces of the last word end, counted from its beginning. */
  readonly ends: number[] = []
  /** Whether each of them is a character that has no piece. */
  readonly unknown: boolean[] = []

  constructor(pieces: Wordpieces) {
    this.pieces = pieces
  }

  /** Fills `ends` and `unknown`; false where the word has no pieces. */
  cut(text: Uint8Array, from: number, to: number): boolean {
    const { suffix, splitUnknown } = this.pieces
    const [lead, length] = [suffix.length, to - from]
    if (this.scratch.length < lead + length) this.scratch = new Uint8Array(2 * (lead + length))
    const { scratch, ends, unknown } = this
    for (let i = 0; i < length; i++) scratch[lead + i] = text[from + i]
    ends.length = 0
    unknown.length = 0
    for (let start = 0; start < length; ) {
      if (start > 0) scratch.set(suffix, start)
      let end = this.longest(start, length)
      unknown.push(end < 0)
      if (end < 0) {
        if (!splitUnknown) return false
        end = this.characterEnds[0]
      }
      ends.push(end)
      start = end
    }
    return true
  }

  /** Where the longest piece from `start` ends, or -1. */
  private longest(start: number, length: number): number {
    const { has, suffix, mostCharacters } = this.pieces
    const { scratch, characterEnds } = this
    const lead = suffix.length
    characterEnds.length = 0
    for (let at = start; at < length; ) {
      at += lengthOf(characterAt(scratch, lead + at, lead + length))
      characterEnds.push(at)
      if (characterEnds.length === mostCharacters) break
    }
    const first = start > 0 ? start : lead
    for (let i = characterEnds.length - 1; i >= 0; i--) {
      if (has(scratch, first, lead + characterEnds[i])) return characterEnds[i]
    }
    return -1
  }
}

/** Words as their pieces; one longer than `longest` bytes, or without pieces, as the token `unknown`. */
export function wordpieces(
  vocabulary: StringIndex,
  suffix: Uint8Array,
  unknown: Uint8Array,
  longest: number,
): (word: Uint8Array) => Uint8Array[] {
  const has = (bytes: Uint8Array, start: number, end: number) => vocabulary.find(bytes, start, end) >= 0
  const cutter = new WordpieceCutter({ has, suffix, mostCharacters: 0, splitUnknown: false })
  return (word) => {
    if (word.length > longest || !cutter.cut(word, 0, word.length)) return [unknown]
    return cutter.ends.map((end, i) =>
      i === 0 ? word.subarray(0, end) : concatBytes([suffix, word.subarray(cutter.ends[i - 1], end)]),
    )
  }
}

/** An index of the vocabulary's tokens. */
export const vocabularyOf = (tokens: readonly string[]): StringIndex => new StringIndex(Strings.from(tokens))
