import { RE2JS } from 're2js'
import type { StringsBuilder } from '../../tensor/index.ts'
import { characterByShape, codeOf, INVALID, lengthOf } from './utf8.ts'

/**
 * A regular expression that chooses among classes of single characters, `(\s+|[!-/]|\p{P}|[\x{4E00}-\x{9FFF}])`: what
 * tokenizers cut text by. Which class holds a character is asked of the regex library once for each character; a text
 * then takes one look-up a character. Its meaning is RE2's: the first alternative that holds the character counts.
 */
export class Alternatives {
  private readonly classes: readonly RE2JS[]
  private readonly repeated: readonly boolean[]
  /** By code point of the basic plane: 0 where it was not asked for yet, 1 no alternative, else the alternative plus 2. */
  private known: Uint8Array | null = null

  private constructor(alternatives: readonly string[]) {
    this.repeated = alternatives.map((alternative) => alternative.endsWith('+'))
    this.classes = alternatives.map((alternative) => RE2JS.compile(alternative.replace(/\+$/, '')))
  }

  /** The alternatives that `pattern`, bare or in one pair of brackets, is made of, or null where it is anything else. */
  static of(pattern: string): Alternatives | null {
    const inside = /^\((?!\?)(.*)\)$/s.exec(pattern)?.[1] ?? pattern
    if (!ALL.test(inside)) return null
    const alternatives = inside.match(ONE) ?? []
    return alternatives.length > 250 ? null : new Alternatives(alternatives)
  }

  /** The alternative that holds `code`, or -1. */
  private alternativeOf(code: number): number {
    if (code < 0) return -1
    if (code > 0xffff) return this.search(code)
    this.known ??= new Uint8Array(0x10000)
    if (this.known[code] === 0) this.known[code] = this.search(code) + 2
    return this.known[code] - 2
  }

  private search(code: number): number {
    const character = String.fromCodePoint(code)
    return this.classes.findIndex((one) => one.matches(character))
  }

  /** Where the match at `at` ends, which has the length 0 where there is none. */
  private matchEnd(text: Uint8Array, at: number, end: number): number {
    const first = characterByShape(text, at, end)
    const alternative = this.alternativeOf(codeOf(first))
    if (alternative < 0) return at
    let next = at + lengthOf(first)
    if (!this.repeated[alternative]) return next
    const { classes } = this
    while (next < end) {
      const character = characterByShape(text, next, end)
      const code = codeOf(character)
      if (code === INVALID) break
      const other = this.alternativeOf(code)
      // One that an earlier alternative holds may be held by this one too.
      const holds =
        other === alternative ||
        (other >= 0 && other < alternative && classes[alternative].matches(String.fromCodePoint(code)))
      if (!holds) break
      next += lengthOf(character)
    }
    return next
  }

  /** True where the whole of `text` matches; null where that takes more than its characters one by one. */
  fullMatch(text: Uint8Array): boolean | null {
    if (text.length === 0) return false
    const first = characterByShape(text, 0, text.length)
    if (this.alternativeOf(codeOf(first)) < 0) return false
    return lengthOf(first) === text.length ? true : null
  }

  /** Calls `found` for every match within `text[start … end)`, in order. */
  each(text: Uint8Array, start: number, end: number, found: (from: number, to: number) => void): void {
    for (let at = start; at < end; ) {
      const to = this.matchEnd(text, at, end)
      if (to > at) {
        found(at, to)
        at = to
      } else at += lengthOf(characterByShape(text, at, end))
    }
  }

  /** Appends `text[start … end)` to the element that `out` is at, every match replaced. */
  replace(out: StringsBuilder, text: Uint8Array, start: number, end: number, replacement: Uint8Array): void {
    let kept = start
    this.each(text, start, end, (from, to) => {
      if (from > kept) out.append(text, kept, from)
      out.append(replacement, 0, replacement.length)
      kept = to
    })
    if (end > kept) out.append(text, kept, end)
  }
}

/** A class in brackets without named classes inside, an escaped class or character, or a plain character. */
const CLASS = String.raw`(?:\[\^?\]?(?:\\[pP]\{\^?\w+\}|\\x\{[0-9A-Fa-f]+\}|\\.|[^\]\\[])*\]|\\[pP]\{\^?\w+\}|\\[pP][A-Z]|\\x\{[0-9A-Fa-f]+\}|\\[sdwSDW]|\\[^0-9A-Za-z]|[^\\^$.|?*+()[\]{}])\+?`
const ALL = new RegExp(`^${CLASS}(?:\\|${CLASS})*$`, 'su')
const ONE = new RegExp(CLASS, 'gsu')
