import type { SentencepieceModel } from './model.ts'
import { SPACE } from './normalizer.ts'

/** Cuts a normalised text: calls `found` for each piece in order. */
export type Cut = (text: Uint8Array, found: (start: number, end: number, id: number) => void) => void

/** How many bytes the character at `at` takes by its first byte, within the text. */
export function lengthAt(text: Uint8Array, at: number): number {
  const first = text[at]
  return Math.min(first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4, text.length - at)
}

/** Characters, and symbols of the user's, each a piece (char_model.cc). */
export const characters =
  (model: SentencepieceModel): Cut =>
  (text, found) => {
    for (let at = 0; at < text.length; ) {
      const end = at + (model.symbolAt(text, at, text.length) || lengthAt(text, at))
      found(at, end, model.idOf(text, at, end))
      at = end
    }
  }

/** Words, each a piece that begins, or by the model ends, with its space (word_model.cc). */
export const words =
  (model: SentencepieceModel): Cut =>
  (text, found) => {
    let start = 0
    for (let at = 0; at < text.length; ) {
      const next = at + lengthAt(text, at)
      const isSpace = next - at === SPACE.length && SPACE.every((byte, i) => text[at + i] === byte)
      const end = model.normalizer.suffix ? next : at
      if (isSpace && end > start) {
        found(start, end, model.idOf(text, start, end))
        start = end
      }
      at = next
    }
    if (start < text.length) found(start, text.length, model.idOf(text, start, text.length))
  }
