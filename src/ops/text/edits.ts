import { StringsBuilder } from '../../tensor/index.ts'
import { type Form, normalized } from './normalize.ts'
import { characterAt, codeOf, INVALID, lengthOf } from './utf8.ts'

/**
 * A text composed, with what was changed where: ICU's Edits, as Normalizer2::normalizeUTF8 records them. A change goes
 * from one place that composing does not reach across to the next. ICU splits finer where a mark that decomposes (U+0F73)
 * follows a character that composes with nothing: offsets within that one change differ.
 */
export class Edits {
  readonly result: Uint8Array
  private readonly sourceLength: number
  /** Of each change in order: where it begins in the text and in the result, and how many bytes it takes in either. */
  private readonly changes: (readonly [source: number, destination: number, old: number, now: number])[] = []

  constructor(text: Uint8Array, form: Form) {
    const out = new StringsBuilder(text.length)
    this.sourceLength = text.length
    let used = 0
    for (let at = 0; at < text.length; ) {
      const end = segmentEnd(text, at)
      const before = text.subarray(at, end)
      const after = normalized(before, form)
      if (!same(before, after)) this.changes.push([at, used, before.length, after.length])
      out.append(after, 0, after.length)
      used += after.length
      at = end
    }
    out.close()
    this.result = out.finish().at(0)
  }

  /** Where `destination` of the result lies in the text: within a change, at its end; outside the result, at the nearer end. */
  sourceOf(destination: number): number {
    if (destination < 0) return 0
    if (destination >= this.result.length) return this.sourceLength
    let shift = 0
    for (const [source, start, old, now] of this.changes) {
      if (destination < start) break
      if (destination === start && now > 0) return source
      if (destination < start + now) return source + old
      shift = source + old - (start + now)
    }
    return destination + shift
  }
}

/** Where the segment ends that begins at `at`: before the next character that no earlier one composes with. */
function segmentEnd(text: Uint8Array, at: number): number {
  let next = at + lengthOf(characterAt(text, at, text.length))
  while (next < text.length) {
    const character = characterAt(text, next, text.length)
    if (codeOf(character) === INVALID || !CONTINUES.test(String.fromCodePoint(codeOf(character)))) break
    next += lengthOf(character)
  }
  return next
}

/** Marks, and the vowels and final consonants of Hangul. */
const CONTINUES = /[\p{M}\u1161-\u1175\u11a8-\u11c2\uff9e\uff9f]/u

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
