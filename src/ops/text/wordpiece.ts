import { StringIndex, Strings } from '../../tensor/index.ts'

// BERT's tokenizer as tensorflow_text has it (BertTokenizer = BasicTokenizer + WordpieceTokenizer).

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** ICU's NFKC_Casefold, which tf.text's case_fold_utf8 applies: compatibility forms, full case folding, no ignorables. */
export function caseFold(text: string): string {
  let folded = ''
  for (const char of text.normalize('NFKC')) {
    // Upper then lower is full case folding but for the dotless i, which folds to itself.
    if (!IGNORABLE.test(char)) folded += char === 'ı' ? char : char.toUpperCase().toLowerCase()
  }
  return folded.normalize('NFKC')
}
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u

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
  readonly vocabulary: StringIndex
  /** In place of a word that has no pieces. */
  readonly unknown: Uint8Array
  /** In front of a piece that continues a word, `##`. */
  readonly suffix: Uint8Array
  /** A word of more bytes is unknown. */
  readonly longest: number
}

/** `word` as the longest pieces of the vocabulary, from its beginning (wordpiece_tokenizer.cc). */
export function wordpieces(word: Uint8Array, { vocabulary, unknown, suffix, longest }: Wordpieces): Uint8Array[] {
  if (word.length > longest) return [unknown]
  const pieces: Uint8Array[] = []
  for (let start = 0; start < word.length; ) {
    const lead = start === 0 ? 0 : suffix.length
    const candidate = new Uint8Array(lead + word.length - start)
    if (lead > 0) candidate.set(suffix)
    candidate.set(word.subarray(start), lead)
    let end = candidate.length
    // A piece ends where a character ends.
    while (end > lead && ((candidate[end] & 0xc0) === 0x80 || vocabulary.find(candidate, 0, end) < 0)) end--
    if (end <= lead) return [unknown]
    pieces.push(candidate.subarray(0, end))
    start += end - lead
  }
  return pieces
}

/** An index of the vocabulary's tokens. */
export const vocabularyOf = (tokens: readonly string[]): StringIndex => new StringIndex(Strings.from(tokens))
