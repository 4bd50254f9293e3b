import { InvalidArgumentError } from '../../../errors.ts'
import { fieldsOf, messageAt, numberAt } from '../../protobuf.ts'
import { ByteTrie } from '../bytetrie.ts'

// A model as sentencepiece_model.proto lays it out and model_interface.cc checks it.

/** Kinds of pieces (ModelProto.SentencePiece.Type). */
export const PIECE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const
/** Kinds of models (TrainerSpec.ModelType). */
export const MODEL = { unigram: 1, bpe: 2, word: 3, char: 4 } as const

/** Fields of ModelProto, and of the messages in it. */
const PROTO = { piece: 1, trainer: 2, normalizer: 3, denormalizer: 5 } as const
const FIELD = { text: 1, score: 2, type: 3 } as const
const TRAINER = { type: 3, suffix: 24, byteFallback: 35, unkSurface: 44, bos: 46, eos: 47 } as const
const NORMALIZER = { charsmap: 2, dummyPrefix: 3, removeSpaces: 4, escapeSpaces: 5 } as const

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** How a text is changed before it is cut into pieces. */
export interface NormalizerSpec {
  /** Empty where characters stay as they are. */
  readonly charsmap: Uint8Array
  readonly dummyPrefix: boolean
  readonly removeSpaces: boolean
  readonly escapeSpaces: boolean
  /** Whether the dummy prefix is a suffix, as a model of words that end in their space has it. */
  readonly suffix: boolean
}

export class SentencepieceModel {
  readonly type: number
  readonly pieces: readonly Uint8Array[]
  readonly scores: Float32Array
  readonly types: Uint8Array
  /** Pieces that texts are cut into. */
  readonly vocabulary = new ByteTrie()
  /** Pieces that mean something: control symbols, the unknown, bytes. */
  private readonly reserved = new ByteTrie()
  /** What the user defined, which nothing may change or cut; null where that is nothing. */
  readonly symbols: ByteTrie | null
  readonly unknown: number
  /** The id of each byte, or null where unknown characters are not written in bytes. */
  readonly bytes: Int32Array | null
  readonly unkSurface: Uint8Array
  readonly bos: Uint8Array
  readonly eos: Uint8Array
  readonly normalizer: NormalizerSpec
  /** Null where texts made of pieces are left as they are. */
  readonly denormalizer: NormalizerSpec | null

  /** @throws {InvalidArgumentError} where `proto` is no model, or one that contradicts itself */
  constructor(proto: Uint8Array) {
    if (proto.length === 0) throw new InvalidArgumentError('Model argument must be specified.')
    const pieces: Uint8Array[] = []
    const [scores, types]: [number[], number[]] = [[], []]
    for (const { field, bytes } of fieldsOf(proto)) {
      if (field !== PROTO.piece) continue
      pieces.push(messageAt(bytes, FIELD.text) ?? NONE)
      scores.push(numberAt(bytes, FIELD.score, 0))
      types.push(numberAt(bytes, FIELD.type, PIECE.normal))
    }
    this.pieces = pieces
    this.scores = Float32Array.from(scores)
    this.types = Uint8Array.from(types)
    const trainer = messageAt(proto, PROTO.trainer) ?? NONE
    this.type = numberAt(trainer, TRAINER.type, MODEL.unigram)
    this.unkSurface = messageAt(trainer, TRAINER.unkSurface) ?? utf8(' \u2047 ')
    this.bos = messageAt(trainer, TRAINER.bos) ?? utf8('<s>')
    this.eos = messageAt(trainer, TRAINER.eos) ?? utf8('</s>')
    const suffix = numberAt(trainer, TRAINER.suffix, 0) !== 0
    this.normalizer = specOf(messageAt(proto, PROTO.normalizer) ?? NONE, suffix)
    const denormalizer = specOf(messageAt(proto, PROTO.denormalizer) ?? NONE, false)
    this.denormalizer = denormalizer.charsmap.length > 0 ? denormalizer : null
    this.unknown = this.index()
    const own = types.flatMap((type, id) => (type === PIECE.userDefined ? [id] : []))
    this.symbols = own.length > 0 ? new ByteTrie() : null
    for (const id of own) this.symbols?.add(pieces[id], id)
    this.bytes = this.bytePieces(numberAt(trainer, TRAINER.byteFallback, 0) !== 0)
  }

  /** Enters the pieces where they are looked up, and answers the id of the unknown one. */
  private index(): number {
    let unknown = -1
    this.pieces.forEach((piece, id) => {
      const type = this.types[id]
      const cut = type === PIECE.normal || type === PIECE.userDefined || type === PIECE.unused
      if (piece.length === 0) throw new InvalidArgumentError(`piece ${id} of the model must not be empty`)
      if (!(cut ? this.vocabulary : this.reserved).add(piece, id))
        throw new InvalidArgumentError(`piece ${id} of the model is already defined`)
      if (type !== PIECE.unknown) return
      if (unknown >= 0) throw new InvalidArgumentError('the model defines its unknown piece twice')
      unknown = id
    })
    if (unknown < 0) throw new InvalidArgumentError('the model does not define its unknown piece')
    return unknown
  }

  private bytePieces(fallback: boolean): Int32Array | null {
    const ids = Int32Array.from({ length: 256 }, (_, byte) => {
      const id = this.idOf(utf8(byteName(byte)))
      return this.types[id] === PIECE.byte ? id : -1
    })
    if (!fallback && this.types.includes(PIECE.byte))
      throw new InvalidArgumentError('the model has pieces of bytes although it does not fall back on them')
    if (!fallback) return null
    if (ids.includes(-1)) throw new InvalidArgumentError('the model lacks pieces for some of the 256 bytes')
    return ids
  }

  /** The id of the piece `text[start … end)`; that of the unknown where there is none. */
  idOf(text: Uint8Array, start = 0, end = text.length): number {
    const reserved = this.reserved.find(text, start, end)
    if (reserved >= 0) return reserved
    const id = this.vocabulary.find(text, start, end)
    return id < 0 ? this.unknown : id
  }

  /** How many bytes the symbol of the user's takes that begins at `at`; 0 for none. */
  symbolAt(text: Uint8Array, at: number, end: number): number {
    return this.symbols === null ? 0 : this.symbols.longest(text, at, end)
  }
}

/** A byte's piece: `<0x0A>`. */
const byteName = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`

/** The byte that piece `id` stands for. */
export function byteOf(model: SentencepieceModel, id: number): number {
  return model.bytes === null ? -1 : model.bytes.indexOf(id)
}

const NONE = new Uint8Array(0)

const specOf = (message: Uint8Array, suffix: boolean): NormalizerSpec => ({
  charsmap: messageAt(message, NORMALIZER.charsmap) ?? NONE,
  dummyPrefix: numberAt(message, NORMALIZER.dummyPrefix, 1) !== 0,
  removeSpaces: numberAt(message, NORMALIZER.removeSpaces, 1) !== 0,
  escapeSpaces: numberAt(message, NORMALIZER.escapeSpaces, 1) !== 0,
  suffix,
})
