import { concatBytes } from '../../tensor/index.ts'
import { isSpace } from './spaces.ts'

// Text as TensorFlow has it: bytes, which are UTF-8 only where an op says so.

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Lower case of ASCII letters; other bytes stay. */
export function lowerAscii(text: Uint8Array): Uint8Array {
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text[i] >= 65 && text[i] <= 90 ? text[i] + 32 : text[i]
  return out
}
/** Upper case of ASCII letters; other bytes stay. */
export function upperAscii(text: Uint8Array): Uint8Array {
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) out[i] = text[i] >= 97 && text[i] <= 122 ? text[i] - 32 : text[i]
  return out
}

/** Unicode's full lower case (ICU's toLower, root locale); what is not UTF-8 becomes U+FFFD, and a NUL ends the text. */
export const lowerUnicode = (text: Uint8Array): Uint8Array => encoder.encode(untilNul(text).toLowerCase())
/** Unicode's full upper case (ICU's toUpper, root locale), as `lowerUnicode`. */
export const upperUnicode = (text: Uint8Array): Uint8Array => encoder.encode(untilNul(text).toUpperCase())

/** TensorFlow hands the text to ICU as a C string. */
function untilNul(text: Uint8Array): string {
  const end = text.indexOf(0)
  return decoder.decode(end < 0 ? text : text.subarray(0, end))
}

/** Without white space (`isSpace`) at either end. */
export function strip(text: Uint8Array): Uint8Array {
  let [start, end] = [0, text.length]
  while (start < end && isSpace(text[start])) start++
  while (end > start && isSpace(text[end - 1])) end--
  return text.subarray(start, end)
}

/** Characters of a UTF-8 text: bytes that do not continue one (core/lib/core/stringpiece, UTF8StrLen). */
export function utf8Length(text: Uint8Array): number {
  let count = 0
  for (const byte of text) if ((byte & 0xc0) !== 0x80) count++
  return count
}

/**
 * The words between runs of white space, at most `most` of them split off (-1: all); the rest is the last one
 * (string_split_op.cc, SplitV2 without a separator).
 */
export function splitSpaces(text: Uint8Array, most: number): Uint8Array[] {
  if (most === 0) return [text]
  const words: Uint8Array[] = []
  let at = 0
  const skip = () => {
    while (at < text.length && isSpace(text[at])) at++
  }
  skip()
  while (at < text.length) {
    const start = at
    while (at < text.length && !isSpace(text[at])) at++
    words.push(text.subarray(start, at))
    skip()
    if (most > 0 && words.length === most) {
      words.push(text.subarray(at))
      break
    }
  }
  return words
}

/** The parts between occurrences of `separator`, empty ones included, at most `most` split off (-1: all). */
export function splitAt(text: Uint8Array, separator: Uint8Array, most: number): Uint8Array[] {
  if (most === 0) return [text]
  const parts: Uint8Array[] = []
  let start = 0
  for (let at = find(text, separator, 0); at >= 0; at = find(text, separator, start)) {
    parts.push(text.subarray(start, at))
    start = at + separator.length
    if (most > 0 && parts.length === most) break
  }
  parts.push(text.subarray(start))
  return parts
}

function find(text: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = text.indexOf(wanted[0], from); at >= 0; at = text.indexOf(wanted[0], at + 1)) {
    let same = 1
    while (same < wanted.length && text[at + same] === wanted[same]) same++
    if (same === wanted.length) return at
  }
  return -1
}

/** The parts between bytes that are in `separators`, where there are none the single bytes; of '' none (string_split_op.cc, v1). */
export function splitAny(text: Uint8Array, separators: Uint8Array, skipEmpty: boolean): Uint8Array[] {
  if (text.length === 0) return []
  if (separators.length === 0) return Array.from(text, (_, i) => text.subarray(i, i + 1))
  const parts: Uint8Array[] = []
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && !separators.includes(text[at])) continue
    if (at > start || !skipEmpty) parts.push(text.subarray(start, at))
    start = at + 1
  }
  return parts
}

/** The parts with `separator` between them. */
export const join = (parts: readonly Uint8Array[], separator: Uint8Array): Uint8Array =>
  concatBytes(parts.flatMap((part, i) => (i === 0 ? [part] : [separator, part])))

export const encode = (text: string): Uint8Array => encoder.encode(text)
