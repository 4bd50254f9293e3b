import { RE2JS } from 're2js'
import { InvalidArgumentError } from '../../errors.ts'
import { type Strings, StringsBuilder, utf8 } from '../../tensor/index.ts'
import { Alternatives } from './alternatives.ts'
import { ByteClass } from './byteclass.ts'
import { rewriteParts } from './rewrite.ts'
import { characterAt, characterByShape, codeOf, INVALID, lengthOf } from './utf8.ts'

/** Where a match lies, group by group; -1 for a group that took no part. */
type Groups = readonly (readonly [start: number, end: number])[]

/**
 * A regular expression of RE2 on bytes, by the library re2js (a port of RE2 that matches in linear time too). RE2 knows
 * only UTF-8: a byte that is none matches nothing, so a text is matched in the runs between such bytes. But what has the
 * shape of a character, a surrogate or one past U+10FFFF, is one to it wherever all beyond ASCII is (`characterByShape`).
 */
export class Regex {
  private readonly compiled: RE2JS
  private readonly byteClass: ByteClass | null
  private readonly alternatives: Alternatives | null
  /** Whether it asks where a text begins, ends or has a word, of which a run is no text; and takes no byte unseen. */
  private readonly anchored: boolean
  readonly groups: number

  /** @throws {InvalidArgumentError} where RE2 would not take the pattern */
  constructor(pattern: string) {
    try {
      this.compiled = RE2JS.compile(pattern)
    } catch (error) {
      throw new InvalidArgumentError(`Invalid pattern: ${pattern}, error: ${(error as Error).message}`)
    }
    this.groups = this.compiled.groupCount()
    const outside = pattern.replace(/\[[^\]]*\]/g, '[]')
    this.anchored = /\\[AzbB]|[\^$]/.test(outside) && !/\.|\[\[?:?\^|\\[PSDW]/.test(pattern)
    this.byteClass = ByteClass.of(pattern)
    this.alternatives = Alternatives.of(pattern)
  }

  private static readonly known = new Map<string, Regex>()

  /** The expression for `pattern`, compiled once. */
  static of(pattern: string): Regex {
    let regex = Regex.known.get(pattern)
    if (regex === undefined) {
      regex = new Regex(pattern)
      // Patterns come from graphs, so they are few; one that arrives as data must not fill the memory.
      if (Regex.known.size > 1000) Regex.known.clear()
      Regex.known.set(pattern, regex)
    }
    return regex
  }

  /** True where the whole of `text` matches. */
  fullMatch(text: Uint8Array): boolean {
    const readable = withStandIns(text)
    return this.alternatives?.fullMatch(readable) ?? (utf8(readable) !== null && this.compiled.matches(readable))
  }

  /**
   * Finds matches in `text[start … end)` as repeated calls of RE2::FindAndConsume do, each in what the one before left,
   * and gives where the whole match and its first group lie.
   * @throws {InvalidArgumentError} for an empty match, at which RE2 would stay for ever
   */
  consume(
    text: Uint8Array,
    start: number,
    end: number,
    found: (from: number, to: number, groupFrom: number, groupTo: number) => void,
  ): void {
    if (this.groups === 0) return
    if (this.alternatives !== null) {
      this.alternatives.each(text, start, end, (from, to) => found(from, to, from, to))
      return
    }
    for (let at = start; ; ) {
      const [groups] = this.matches(text.subarray(at, end), 1)
      if (groups === undefined) return
      const [[from, to], [groupFrom, groupTo]] = groups
      if (from === to || groupFrom < 0) throw new InvalidArgumentError('the pattern of a delimiter matches nothing')
      found(at + from, at + to, at + groupFrom, at + groupTo)
      at += to
    }
  }

  /** All matches in order, as RE2::GlobalReplace finds them: an empty one not at the end of the one before. */
  matches(text: Uint8Array, most = Infinity): Groups[] {
    const found: Groups[] = []
    const readable = withStandIns(text)
    if (utf8(readable) !== null) this.matchesIn(readable, 0, most, found)
    else if (this.anchored) this.matchesIn(withoutBroken(readable), 0, most, found)
    else
      for (const [start, end] of validRuns(readable)) this.matchesIn(readable.subarray(start, end), start, most, found)
    return found
  }

  private matchesIn(run: Uint8Array, offset: number, most: number, found: Groups[]): void {
    const matcher = this.compiled.matcher(run)
    let lastEnd = -1
    for (let from = 0; from <= run.length && found.length < most && matcher.find(from); ) {
      const [start, end] = [matcher.start(), matcher.end()]
      if (start === end && start === lastEnd) {
        from = start + characterLength(run, start)
        continue
      }
      found.push(
        Array.from({ length: this.groups + 1 }, (_, group) => {
          const at = matcher.start(group)
          return at < 0 ? ([-1, -1] as const) : ([at + offset, matcher.end(group) + offset] as const)
        }),
      )
      lastEnd = end
      from = end
    }
  }

  /**
   * Each of `texts` with its matches, or only the first, rewritten: \0 is the match, \1 … \9 its groups, \\ a backslash. A
   * rewrite that names a group that is not there changes nothing, as in RE2.
   */
  replace(texts: Strings, rewrite: Uint8Array, all: boolean): Strings {
    const parts = rewriteParts(rewrite)
    if (parts === null || parts.some((part) => typeof part === 'number' && part > this.groups)) return texts
    const { bytes, offsets, length } = texts
    const out = new StringsBuilder(length, offsets[length] - offsets[0])
    const plain = all && parts.length === 1 ? (parts[0] as Uint8Array) : null
    for (let i = 0; i < length; i++) {
      const [start, end] = [offsets[i], offsets[i + 1]]
      if (plain !== null && this.byteClass?.fits(bytes, start, end)) {
        this.byteClass.replace(out, bytes, start, end, plain)
      } else if (plain !== null && this.alternatives !== null) {
        this.alternatives.replace(out, bytes, start, end, plain)
      } else this.rewrite(out, texts.at(i), parts, all)
      out.close()
    }
    return out.finish()
  }

  private rewrite(out: StringsBuilder, text: Uint8Array, parts: readonly (Uint8Array | number)[], all: boolean): void {
    let kept = 0
    for (const groups of this.matches(text, all ? undefined : 1)) {
      out.append(text, kept, groups[0][0])
      for (const part of parts) {
        if (typeof part === 'number') out.append(text, ...groups[part])
        else out.append(part, 0, part.length)
      }
      kept = groups[0][1]
    }
    out.append(text, kept, text.length)
  }
}

/** An attribute's bytes are the same object at each run. */
const COMPILED = new WeakMap<Uint8Array, Regex>()

/**
 * The expression that a graph's `pattern` is, compiled once.
 * @throws {InvalidArgumentError} where RE2 would not take it
 */
export function regexOf(pattern: Uint8Array): Regex {
  let regex = COMPILED.get(pattern)
  if (regex === undefined) {
    const plain = utf8(pattern)
    if (plain === null) throw new InvalidArgumentError('Invalid pattern: it is not UTF-8')
    regex = Regex.of(plain)
    COMPILED.set(pattern, regex)
  }
  return regex
}

/** Bytes of the character at `at`, of UTF-8 that is known to be valid; one past the end. */
function characterLength(text: Uint8Array, at: number): number {
  const byte = text[at] ?? 0
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
}

const [FFFF, LAST] = [
  [0xef, 0xbf, 0xbf],
  [0xf4, 0x8f, 0xbf, 0xbf],
]

/** `text`, or a copy in which what has but the shape of a character is the one that `characterByShape` takes it for. */
function withStandIns(text: Uint8Array): Uint8Array {
  let out = text
  for (let at = 0; at < text.length; at++) {
    if (text[at] < 0xe0) continue
    const character = characterAt(text, at, text.length)
    if (codeOf(character) === INVALID) {
      const shape = characterByShape(text, at, text.length)
      if (codeOf(shape) === INVALID) continue
      if (out === text) out = text.slice()
      out.set(lengthOf(shape) === 4 ? LAST : FFFF, at)
    }
    at += lengthOf(character) - 1
  }
  return out
}

/** `text` with NULs in place of the bytes that are no UTF-8. */
function withoutBroken(text: Uint8Array): Uint8Array {
  const out = text.slice()
  for (let at = 0; at < text.length; ) {
    const character = characterAt(text, at, text.length)
    if (codeOf(character) === INVALID) out[at++] = 0
    else at += lengthOf(character)
  }
  return out
}

/** The longest stretches of valid UTF-8. */
function validRuns(text: Uint8Array): [number, number][] {
  const runs: [number, number][] = []
  let start = 0
  for (let at = 0; at < text.length; ) {
    const length = characterLength(text, at)
    if (at + length <= text.length && utf8(text.subarray(at, at + length)) !== null) {
      at += length
      continue
    }
    runs.push([start, at])
    at++
    start = at
  }
  runs.push([start, text.length])
  return runs
}
