// Properties of characters that tf.text asks ICU for. They are those of the engine's Unicode version.

/** White_Space (ICU's u_isUWhiteSpace). */
export function isWhiteSpace(code: number): boolean {
  if (code < 128) return code === 32 || (code >= 9 && code <= 13)
  if (code < 0x2000) return code === 0x85 || code === 0xa0 || code === 0x1680
  return code <= 0x200a || code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000
}

const IDEOGRAPHS = [
  [0x4e00, 0x9fff],
  [0x3400, 0x4dbf],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b820, 0x2ceaf],
  [0xf900, 0xfaff],
  [0x2f800, 0x2fa1f],
] as const
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/u

/** Where BERT ends a word: punctuation, ASCII symbols and CJK ideographs (fast_wordpiece_tokenizer_utils.h). */
function isBreak(code: number): boolean {
  if (code > 127) for (const [first, last] of IDEOGRAPHS) if (code >= first && code <= last) return true
  return code >= 0 && PUNCTUATION.test(String.fromCodePoint(code))
}

/** By code point of the basic plane: 0 where it was not asked for yet, 1 no, 2 yes. */
let breaks: Uint8Array | null = null

/** As `isBreak`, each character asked for once. No character (a negative code) is none. */
export function isBreakCharacter(code: number): boolean {
  if (code < 0 || code > 0xffff) return isBreak(code)
  breaks ??= new Uint8Array(0x10000)
  if (breaks[code] === 0) breaks[code] = isBreak(code) ? 2 : 1
  return breaks[code] === 2
}
