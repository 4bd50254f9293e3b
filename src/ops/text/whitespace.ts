import { characterAt, codeOf, lengthOf } from './utf8.ts'

/**
 * Calls `found` for each word of `bytes[start … end)`; `config` is a set of bits by code point that tells white space. As in
 * whitespace_tokenizer.cc, a word ends one byte before what follows the white space: of white space of more bytes it keeps
 * all but the last.
 */
export function eachWord(
  bytes: Uint8Array,
  start: number,
  end: number,
  config: Uint8Array,
  found: (from: number, to: number) => void,
): void {
  let word = -1
  for (let at = start; at < end; ) {
    const character = characterAt(bytes, at, end)
    const [code, next] = [codeOf(character), at + lengthOf(character)]
    if (code < 0 || ((config[code >> 3] ?? 0) >> (code & 7)) % 2 === 0) {
      if (word < 0) word = at
    } else if (word >= 0) {
      found(word, next - 1)
      word = -1
    }
    at = next
  }
  if (word >= 0) found(word, end)
}
