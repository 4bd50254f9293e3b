import { type Strings, StringsBuilder } from '../../tensor/index.ts'

/**
 * A regular expression that is one class of ASCII characters, `[!-/]`, `\s+`, `[^a-z ]`: what standardising text mostly
 * asks for, and what a table of bytes answers without a regex engine. Its meaning is RE2's.
 */
export class ByteClass {
  /** 1 for each byte below 128 that the class holds. */
  private readonly held: Uint8Array
  private readonly negated: boolean
  private readonly repeated: boolean

  private constructor(held: Uint8Array, negated: boolean, repeated: boolean) {
    this.held = held
    this.negated = negated
    this.repeated = repeated
  }

  /** The class that `pattern` is, or null where it is anything else. */
  static of(pattern: string): ByteClass | null {
    const shape = /^(?:\[(\^?)(\]?(?:\\.|[^\]\\])*)\]|(\\.|[^\\^$.|?*+()[\]{}]))(\+?)$/s.exec(pattern)
    if (shape === null) return null
    const [, negation = '', inside, single, repetition] = shape
    const held = members(inside ?? single)
    if (held === null) return null
    if (negation !== '') for (let byte = 0; byte < 128; byte++) held[byte] ^= 1
    return new ByteClass(held, negation !== '', repetition !== '')
  }

  /** Whether bytes suffice for every text. */
  get fitsAll(): boolean {
    return !this.negated
  }

  /** The ASCII bytes that the class holds. */
  bytes(): Uint8Array {
    return Uint8Array.from(this.held.keys()).filter((byte) => this.held[byte] === 1)
  }

  /** Whether bytes suffice for this text: a negated class also holds what is beyond ASCII, character by character. */
  fits(text: Uint8Array, start: number, end: number): boolean {
    if (this.negated) for (let i = start; i < end; i++) if (text[i] > 127) return false
    return true
  }

  /** Each of `texts` with every match replaced; bytes must suffice for all. */
  replaceAll({ bytes, offsets, length }: Strings, replacement: Uint8Array): Strings {
    const out = new StringsBuilder(length, offsets[length] - offsets[0])
    for (let i = 0; i < length; i++) {
      this.replace(out, bytes, offsets[i], offsets[i + 1], replacement)
      out.close()
    }
    return out.finish()
  }

  /** Appends `text[start … end)` to the element that `out` is at, every match replaced. */
  replace(out: StringsBuilder, text: Uint8Array, start: number, end: number, replacement: Uint8Array): void {
    const { held, repeated } = this
    let kept = start
    for (let at = start; at < end; at++) {
      if (held[text[at]] !== 1) continue
      if (at > kept) out.append(text, kept, at)
      out.append(replacement, 0, replacement.length)
      if (repeated) while (at + 1 < end && held[text[at + 1]] === 1) at++
      kept = at + 1
    }
    if (end > kept) out.append(text, kept, end)
  }
}

/** RE2's Perl classes; its \s has no vertical tab. */
const PERL: Readonly<Record<string, RegExp>> = { s: /[\t\n\f\r ]/, d: /[0-9]/, w: /[0-9A-Za-z_]/ }
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 }

/** The members that stand between a class's brackets; null for what is not a plain ASCII list. */
function members(inside: string): Uint8Array | null {
  const held = new Uint8Array(128)
  for (let at = 0; at < inside.length; ) {
    const perl = inside[at] === '\\' ? PERL[inside[at + 1]] : undefined
    if (perl !== undefined) {
      for (let byte = 0; byte < 128; byte++) if (perl.test(String.fromCharCode(byte))) held[byte] = 1
      at += 2
      // RE2 refuses a range that begins with a class.
      if (inside[at] === '-' && at + 1 < inside.length) return null
      continue
    }
    const first = character(inside, at)
    if (first === null) return null
    at = first.end
    let last = first
    if (inside[at] === '-' && at + 1 < inside.length) {
      const upper = character(inside, at + 1)
      if (upper === null || upper.code < first.code) return null
      last = upper
      at = upper.end
    }
    held.fill(1, first.code, last.code + 1)
  }
  return held
}

/** One ASCII character of a class, escaped or not. */
function character(inside: string, at: number): { readonly code: number; readonly end: number } | null {
  const escaped = inside[at] === '\\'
  const char = inside[at + (escaped ? 1 : 0)]
  const code = char?.charCodeAt(0) ?? 128
  // [: begins a named class.
  if (code > 127 || (!escaped && char === '[' && inside[at + 1] === ':')) return null
  if (!escaped) return { code, end: at + 1 }
  if (char in CONTROLS) return { code: CONTROLS[char], end: at + 2 }
  return /[0-9A-Za-z]/.test(char) ? null : { code, end: at + 2 }
}
