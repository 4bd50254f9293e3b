import { InvalidArgumentError } from '../../errors.ts'
import { characterAt, codeOf, INVALID, lengthOf } from './utf8.ts'

// Unicode text in the encodings that TensorFlow's unicode ops know, after core/kernels/unicode_ops.cc (which uses ICU).

/** A code point where it stands in its text; `valid` is false where the bytes are no character. */
export interface CodePoint {
  readonly code: number
  readonly offset: number
  readonly valid: boolean
}

/** Reads one character at `at`. */
type Step = (
  text: Uint8Array,
  at: number,
) => { readonly code: number; readonly length: number; readonly valid: boolean }

const REPLACEMENT = 0xfffd

export const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff

/** UTF-8; a malformed sequence is one error, as long as it could have been the beginning of a character. */
const utf8Step: Step = (text, at) => {
  const character = characterAt(text, at, text.length)
  const [code, length] = [codeOf(character), lengthOf(character)]
  const valid = code !== INVALID
  return { code: valid ? code : REPLACEMENT, length, valid }
}

const utf16Step =
  (little: boolean): Step =>
  (text, at) => {
    const unit = (i: number) => (i + 1 < text.length ? (text[little ? i + 1 : i] << 8) | text[little ? i : i + 1] : -1)
    const high = unit(at)
    if (high < 0) return { code: REPLACEMENT, length: text.length - at, valid: false }
    if (!isSurrogate(high)) return { code: high, length: 2, valid: true }
    const low = unit(at + 2)
    if (high < 0xdc00 && low >= 0xdc00 && low <= 0xdfff)
      return { code: 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), length: 4, valid: true }
    return { code: REPLACEMENT, length: 2, valid: false }
  }

const utf32Step =
  (little: boolean): Step =>
  (text, at) => {
    if (at + 4 > text.length) return { code: REPLACEMENT, length: text.length - at, valid: false }
    const bytes = [text[at], text[at + 1], text[at + 2], text[at + 3]]
    const [a, b, c, d] = little ? bytes.reverse() : bytes
    const code = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
    const valid = code <= 0x10ffff && !isSurrogate(code)
    return { code: valid ? code : REPLACEMENT, length: 4, valid }
  }

const latin1Step: Step = (text, at) => ({ code: text[at], length: 1, valid: true })
const asciiStep: Step = (text, at) =>
  text[at] < 0x80 ? { code: text[at], length: 1, valid: true } : { code: REPLACEMENT, length: 1, valid: false }

/**
 * By name without case, hyphens and underscores, as ICU compares names. The first text that a thread ever saw decides which
 * mark of byte order UTF-16 and UTF-32 take: here they are big-endian, as they are without one.
 */
const STEPS: Readonly<Record<string, Step>> = {
  utf8: utf8Step,
  utf16: utf16Step(false),
  utf16be: utf16Step(false),
  utf16le: utf16Step(true),
  utf32: utf32Step(false),
  utf32be: utf32Step(false),
  utf32le: utf32Step(true),
  iso88591: latin1Step,
  latin1: latin1Step,
  usascii: asciiStep,
  ascii: asciiStep,
}

/** Characters of an encoding that the runtime's TextDecoder knows: what it gives out at a byte began where it last did. */
function decoded(text: Uint8Array, encoding: string): CodePoint[] {
  let decoder: TextDecoder
  try {
    decoder = new TextDecoder(encoding, { ignoreBOM: true })
  } catch {
    throw new InvalidArgumentError(`Could not create converter for input encoding: ${encoding}`)
  }
  const found: CodePoint[] = []
  let offset = 0
  for (let at = 0; at <= text.length; at++) {
    const characters = decoder.decode(text.subarray(at, at + 1), { stream: at < text.length })
    let place = offset
    for (const character of characters) {
      const code = character.codePointAt(0) ?? REPLACEMENT
      found.push({ code, offset: place, valid: code !== REPLACEMENT })
      // More than one: what began there was cut short by the byte that is read now.
      place = at
    }
    if (characters !== '') offset = at + 1
  }
  return found
}

/**
 * The characters of `text` in `encoding`.
 * @throws {InvalidArgumentError} for an encoding that is not known here
 */
export function codePoints(text: Uint8Array, encoding: string): CodePoint[] {
  const step = STEPS[encoding.toLowerCase().replace(/[-_ ]/g, '')]
  if (step === undefined) return decoded(text, encoding)
  const found: CodePoint[] = []
  for (let at = 0; at < text.length; ) {
    const { code, length, valid } = step(text, at)
    found.push({ code, offset: at, valid })
    at += length
  }
  return found
}

/** What becomes of characters that are none. */
export interface Repair {
  readonly errors: 'strict' | 'replace' | 'ignore'
  readonly replacement: number
  /** Whether the controls U+0000 to U+001F are replaced too. */
  readonly replaceControls: boolean
}

const isControl = (code: number): boolean => code < 0x20

/**
 * The characters after `repair`.
 * @param allowed 'controls' where strict takes those that are to be replaced for no errors, as UnicodeDecode does
 * @throws {InvalidArgumentError} where one is none and `errors` is strict
 */
export function repaired(points: readonly CodePoint[], repair: Repair, allowed?: 'controls'): CodePoint[] {
  const kept: CodePoint[] = []
  for (const point of points) {
    const wrong = !point.valid || (repair.replaceControls && isControl(point.code))
    if (wrong && repair.errors === 'strict' && !(allowed === 'controls' && point.valid))
      throw new InvalidArgumentError('Invalid formatting on input string')
    if (wrong) {
      if (repair.errors !== 'ignore') kept.push({ ...point, code: repair.replacement })
    } else kept.push(point)
  }
  return kept
}

/** One character in `encoding` UTF-8, UTF-16-BE or UTF-32-BE; a surrogate alone is U+FFFD in UTF-8, itself in the others. */
export function encodePoint(code: number, encoding: string, out: number[]): void {
  const c = encoding === 'UTF-8' && isSurrogate(code) ? REPLACEMENT : code
  if (encoding === 'UTF-32-BE') out.push(c >>> 24, (c >> 16) & 0xff, (c >> 8) & 0xff, c & 0xff)
  else if (encoding === 'UTF-16-BE') {
    const units = c < 0x10000 ? [c] : [0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff)]
    for (const unit of units) out.push(unit >> 8, unit & 0xff)
  } else if (c < 0x80) out.push(c)
  else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 0x3f))
  else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 0x3f), 0x80 | (c & 0x3f))
  else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 0x3f), 0x80 | ((c >> 6) & 0x3f), 0x80 | (c & 0x3f))
}
