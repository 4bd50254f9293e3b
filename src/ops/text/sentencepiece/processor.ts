import { InvalidArgumentError } from '../../../errors.ts'
import { characterAt, codeOf, INVALID, lengthOf } from '../utf8.ts'
import { bpe } from './bpe.ts'
import { type Cut, characters, words } from './cut.ts'
import type { Extras } from './extras.ts'
import { byteOf, MODEL, PIECE, SentencepieceModel } from './model.ts'
import { Normalizer, REPLACEMENT, SPACE } from './normalizer.ts'
import { unigram } from './unigram.ts'

const CUTS: Readonly<Record<number, (model: SentencepieceModel) => Cut>> = {
  [MODEL.unigram]: unigram,
  [MODEL.bpe]: bpe,
  [MODEL.word]: words,
  [MODEL.char]: characters,
}

/** A piece of a text: what it is called, its id, and the bytes of the text that it stands for. */
export interface Token {
  readonly piece: Uint8Array
  readonly id: number
  readonly start: number
  readonly end: number
}

/** A model at work: from texts to pieces and back, as sentencepiece_processor.cc does it. */
export class SentencepieceProcessor {
  readonly model: SentencepieceModel
  private readonly cut: Cut
  private readonly normalizer: Normalizer
  private readonly denormalizer: Normalizer | null

  /** @throws {InvalidArgumentError} where `proto` is no model */
  constructor(proto: Uint8Array) {
    const model = new SentencepieceModel(proto)
    const cut = CUTS[model.type]
    if (cut === undefined) throw new InvalidArgumentError(`Unknown model_type: ${model.type}`)
    this.model = model
    this.cut = cut(model)
    this.normalizer = new Normalizer(model.normalizer, (text, at, end) => model.symbolAt(text, at, end))
    this.denormalizer = model.denormalizer && new Normalizer(model.denormalizer, () => 0)
  }

  encode(text: Uint8Array, extras: Extras): Token[] {
    const { model } = this
    const { bytes, origins } = this.normalizer.normalize(text)
    const tokens: Token[] = []
    let [consumed, afterUnknown] = [0, false]
    this.cut(bytes, (start, end, id) => {
      const isUnknown = model.types[id] === PIECE.unknown
      const last = tokens.at(-1)
      const [from, to] = [origins[start], origins[end]]
      if (isUnknown && model.bytes !== null) {
        for (let i = start; i < end; i++) {
          const byte = model.bytes[bytes[i]]
          tokens.push({ piece: model.pieces[byte], id: byte, start: from, end: i + 1 < end ? from : to })
        }
      } else if (isUnknown && afterUnknown && last !== undefined) {
        const piece = bytes.slice(start - last.piece.length, end)
        tokens[tokens.length - 1] = { piece, id, start: last.start, end: to }
      } else tokens.push({ piece: bytes.slice(start, end), id, start: from, end: to })
      // A control symbol stands for nothing of the text, so one that was found in it is an error.
      if (model.types[id] !== PIECE.control) consumed += end - start
      afterUnknown = isUnknown
    })
    if (consumed !== bytes.length) throw new InvalidArgumentError('all normalized characters are not consumed.')
    return this.extended(tokens, extras)
  }

  private extended(tokens: Token[], { bos, eos, reverse }: Extras): Token[] {
    if (bos) tokens.unshift(this.control(this.model.bos))
    if (eos) tokens.push(this.control(this.model.eos))
    return reverse ? tokens.reverse() : tokens
  }

  private control(piece: Uint8Array): Token {
    const id = this.model.idOf(piece)
    if (id === this.model.unknown)
      throw new InvalidArgumentError(`id for \`${new TextDecoder().decode(piece)}\` is not defined.`)
    return { piece, id, start: 0, end: 0 }
  }

  /** The text that `pieces` make. */
  decode(pieces: readonly Uint8Array[], extras: Extras): Uint8Array {
    const { model } = this
    const tokens = this.extended(
      pieces.map((piece) => ({ piece, id: model.idOf(piece), start: 0, end: 0 })),
      extras,
    )
    const text: number[] = []
    let bytes: number[] = []
    const flush = () => {
      appendCharacters(Uint8Array.from(bytes), text)
      bytes = []
    }
    const { dummyPrefix, removeSpaces } = model.normalizer
    for (const { piece, id } of tokens) {
      const type = model.types[id]
      if (type === PIECE.byte) {
        bytes.push(byteOf(model, id))
        continue
      }
      flush()
      if (type === PIECE.control) continue
      if (type === PIECE.unknown) {
        const known = model.pieces[id]
        const isName = piece.length === known.length && piece.every((byte, i) => byte === known[i])
        text.push(...(isName ? model.unkSurface : piece))
        continue
      }
      // Where the text begins, a space is the dummy prefix.
      const start = text.length === 0 && (dummyPrefix || removeSpaces) && isSpaceAt(piece, 0) ? SPACE.length : 0
      for (let at = start; at < piece.length; ) {
        const isSpace = isSpaceAt(piece, at)
        text.push(isSpace ? 0x20 : piece[at])
        at += isSpace ? SPACE.length : 1
      }
    }
    flush()
    const made = Uint8Array.from(text)
    return this.denormalizer === null ? made : this.denormalizer.normalize(made).bytes.slice()
  }
}

const isSpaceAt = (piece: Uint8Array, at: number): boolean => SPACE.every((byte, i) => piece[at + i] === byte)

/** Appends the characters that `bytes` spell; a byte that spells none becomes U+FFFD. */
function appendCharacters(bytes: Uint8Array, text: number[]): void {
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at, bytes.length)
    const isValid = codeOf(character) !== INVALID
    const length = isValid ? lengthOf(character) : 1
    text.push(...(isValid ? bytes.subarray(at, at + length) : REPLACEMENT))
    at += length
  }
}
