// UTF-8 read where it lies, as ICU's U8_NEXT reads it: nothing is made for a character.

/** What `characterAt` answers for bytes that are no character. */
export const INVALID = -1

/**
 * The character at `at`: its code point times 8 plus its length in bytes. A malformed sequence is `INVALID` in place of
 * the code point, as long as it could have been the beginning of a character.
 */
export function characterAt(text: Uint8Array, at: number, end: number): number {
  const first = text[at]
  if (first < 0x80) return first * 8 + 1
  const size =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 1
  let code = size === 2 ? first & 0x1f : size === 3 ? first & 0x0f : first & 0x07
  let length = 1
  for (; length < size && at + length < end; length++) {
    const byte = text[at + length]
    // The second byte's range keeps out overlong forms, surrogates and what is past U+10FFFF.
    const low = length === 1 ? (first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80) : 0x80
    const high = length === 1 ? (first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf) : 0xbf
    if (byte < low || byte > high) break
    code = (code << 6) | (byte & 0x3f)
  }
  return (size > 1 && length === size ? code : INVALID) * 8 + length
}

/**
 * As `characterAt`, but three or four bytes in the shape of a character that there is not, a surrogate or one past U+10FFFF,
 * are U+FFFF or U+10FFFF: RE2 matches everything beyond ASCII by shape alone.
 */
export function characterByShape(text: Uint8Array, at: number, end: number): number {
  const character = characterAt(text, at, end)
  const first = text[at]
  if (character >= 0 || first < 0xe0 || first > 0xf4) return character
  const length = first < 0xf0 ? 3 : 4
  if (at + length > end) return character
  for (let i = 1; i < length; i++) if ((text[at + i] & 0xc0) !== 0x80) return character
  return (length === 3 ? 0xffff : 0x10ffff) * 8 + length
}

/** The code point of what `characterAt` answered. */
export const codeOf = (character: number): number => character >> 3

/** The bytes that it takes. */
export const lengthOf = (character: number): number => character & 7

/** True where all bytes of `text[start … end)` are ASCII. */
export function isAscii(text: Uint8Array, start = 0, end = text.length): boolean {
  for (let i = start; i < end; i++) if (text[i] > 127) return false
  return true
}

/** Calls `run` for each of the longest stretches of valid UTF-8, and `broken` for what lies between them. */
export function inRuns(
  text: Uint8Array,
  run: (start: number, end: number) => void,
  broken: (start: number, end: number) => void,
): void {
  let start = 0
  for (let at = 0; at < text.length; ) {
    const character = characterAt(text, at, text.length)
    const next = at + lengthOf(character)
    if (codeOf(character) === INVALID) {
      if (at > start) run(start, at)
      broken(at, next)
      start = next
    }
    at = next
  }
  if (text.length > start) run(start, text.length)
}
