import { InvalidArgumentError } from '../../../errors.ts'
import { DoubleArray } from '../doublearray.ts'
import { characterAt, codeOf, INVALID, lengthOf } from '../utf8.ts'
import type { NormalizerSpec } from './model.ts'

/** U+2581, which stands for a space. */
export const SPACE = Uint8Array.of(0xe2, 0x96, 0x81)
const BLANK = Uint8Array.of(0x20)
/** What a malformed byte becomes. */
export const REPLACEMENT = Uint8Array.of(0xef, 0xbf, 0xbd)

/** A normalised text. Byte i of it comes from byte `origins[i]` of the text; one more origin is that of its end. */
export interface Normalized {
  readonly bytes: Uint8Array
  readonly origins: Int32Array
}

/** How many bytes of `text` at `at` a symbol takes that must stay as it is; 0 for none. */
type Fixed = (text: Uint8Array, at: number, end: number) => number

/** Changes texts as normalizer.cc does: by the longest rule of a charsmap that fits, then spaces. */
export class Normalizer {
  private readonly spec: NormalizerSpec
  private readonly fixed: Fixed
  private readonly rules: DoubleArray | null
  /** What the rules make, each text ended by a NUL. */
  private readonly made: Uint8Array
  private bytes = new Uint8Array(256)
  private origins = new Int32Array(257)
  private length = 0

  /** @throws {InvalidArgumentError} where the charsmap is cut short */
  constructor(spec: NormalizerSpec, fixed: Fixed) {
    this.spec = spec
    this.fixed = fixed
    const { charsmap } = spec
    if (charsmap.length === 0) {
      ;[this.rules, this.made] = [null, charsmap]
      return
    }
    const view = new DataView(charsmap.buffer, charsmap.byteOffset, charsmap.byteLength)
    const size = charsmap.length < 4 ? 0 : view.getUint32(0, true)
    if (size === 0 || size % 4 !== 0 || 4 + size >= charsmap.length)
      throw new InvalidArgumentError(
        `Blob for normalization rule is broken: ${charsmap.length} bytes, ${size} of them a trie`,
      )
    this.rules = new DoubleArray(Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true)))
    this.made = charsmap.subarray(4 + size)
  }

  /** `text` normalised: views of this normaliser's own memory, good until the next call. */
  normalize(text: Uint8Array): Normalized {
    const { dummyPrefix, removeSpaces, escapeSpaces, suffix } = this.spec
    const end = text.length
    const piece: Piece = { from: text, start: 0, end: 0, taken: 0 }
    this.length = 0
    let at = 0
    if (removeSpaces) {
      for (; at < end; at += piece.taken) {
        this.next(text, at, piece)
        if (piece.end - piece.start !== 1 || piece.from[piece.start] !== 0x20) break
      }
    }
    // A text of nothing but spaces is left without origins, not even that of its end.
    if (at === end) return { bytes: this.bytes.subarray(0, 0), origins: this.origins.subarray(0, 0) }
    const space = escapeSpaces ? SPACE : BLANK
    if (dummyPrefix && !suffix) this.append(space, 0, space.length, at)
    let afterSpace = removeSpaces
    for (; at < end; at += piece.taken) {
      this.next(text, at, piece)
      const { from } = piece
      let start = piece.start
      if (afterSpace) while (start < piece.end && from[start] === 0x20) start++
      for (let i = start; i < piece.end; i++) {
        if (escapeSpaces && from[i] === 0x20) this.append(SPACE, 0, SPACE.length, at)
        else this.append(from, i, i + 1, at)
      }
      if (start < piece.end) afterSpace = from[piece.end - 1] === 0x20
      if (!removeSpaces) afterSpace = false
    }
    let rest = end
    while (removeSpaces && this.endsIn(space)) {
      this.length -= space.length
      rest = this.origins[this.length]
    }
    if (dummyPrefix && suffix) this.append(space, 0, space.length, rest)
    this.origins[this.length] = rest
    return { bytes: this.bytes.subarray(0, this.length), origins: this.origins.subarray(0, this.length + 1) }
  }

  private endsIn(space: Uint8Array): boolean {
    const from = this.length - space.length
    return from >= 0 && space.every((byte, i) => this.bytes[from + i] === byte)
  }

  /** What the text at `at` begins with, normalised, and how much of it that is. */
  private next(text: Uint8Array, at: number, piece: Piece): void {
    const kept = this.fixed(text, at, text.length)
    if (kept > 0) {
      set(piece, text, at, at + kept, kept)
      return
    }
    let [longest, value] = [0, 0]
    if (this.rules !== null) {
      let node: number = DoubleArray.ROOT
      for (let i = at; i < text.length; i++) {
        node = this.rules.step(node, text[i])
        if (node < 0) break
        const found = this.rules.valueOf(node)
        if (found >= 0) [longest, value] = [i + 1 - at, found]
      }
    }
    if (longest > 0) {
      const end = this.made.indexOf(0, value)
      set(piece, this.made, value, end < 0 ? this.made.length : end, longest)
      return
    }
    const character = characterAt(text, at, text.length)
    if (codeOf(character) === INVALID) set(piece, REPLACEMENT, 0, REPLACEMENT.length, 1)
    else set(piece, text, at, at + lengthOf(character), lengthOf(character))
  }

  /** Appends `from[start … end)`, all of which comes from the text's byte `origin`. */
  private append(from: Uint8Array, start: number, end: number, origin: number): void {
    if (this.length + end - start > this.bytes.length) {
      const [bytes, origins] = [this.bytes, this.origins]
      this.bytes = new Uint8Array(bytes.length * 2)
      this.bytes.set(bytes)
      this.origins = new Int32Array(bytes.length * 2 + 1)
      this.origins.set(origins)
    }
    for (let i = start; i < end; i++) {
      this.bytes[this.length] = from[i]
      this.origins[this.length++] = origin
    }
  }
}

/** `from[start … end)` in place of the text's next `taken` bytes. */
interface Piece {
  from: Uint8Array
  start: number
  end: number
  taken: number
}

function set(piece: Piece, from: Uint8Array, start: number, end: number, taken: number): void {
  piece.from = from
  piece.start = start
  piece.end = end
  piece.taken = taken
}
