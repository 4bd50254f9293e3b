import { InvalidArgumentError } from '../../../errors.ts'
import { DoubleArray } from '../doublearray.ts'
import { FlatTable } from '../flatbuffer.ts'
import type { Extras } from './extras.ts'
import { SPACE } from './normalizer.ts'

/** Fields of encoder_config.fbs and decoder_config.fbs; a trie is a table of its nodes. */
const ENCODER = {
  version: 0,
  start: 1,
  end: 2,
  unknown: 3,
  penalty: 4,
  offset: 5,
  pieces: 6,
  scores: 7,
  removeSpaces: 8,
  dummyPrefix: 9,
  escapeSpaces: 10,
  prefixes: 11,
  replacements: 12,
} as const
const DECODER = { version: 0, offset: 1, pieces: 2, removeDummyPrefix: 5 } as const
const NODES = 0

/** The table that `model` is. @throws {InvalidArgumentError} where it is of another version */
function configOf(model: Uint8Array): FlatTable {
  const config = FlatTable.root(model)
  if (config.int32(ENCODER.version) !== 0)
    throw new InvalidArgumentError('Sentencepiece conversion failed: the model is of an unknown version')
  return config
}

/** Cuts texts into the ids of the likeliest pieces by a model laid out flat (core/kernels/sentencepiece/optimized_encoder.cc). */
export class FastEncoder {
  private readonly config: FlatTable
  private readonly pieces: DoubleArray
  private readonly scores: Float32Array
  private readonly rules: DoubleArray | null
  private readonly replacements: Uint8Array

  /** @throws {InvalidArgumentError} where `model` is none */
  constructor(model: Uint8Array) {
    const config = configOf(model)
    const pieces = config.table(ENCODER.pieces)?.words(NODES)
    const scores = config.words(ENCODER.scores)
    if (!pieces || scores === null) throw new InvalidArgumentError('the model has no pieces or no scores of them')
    this.config = config
    this.pieces = new DoubleArray(pieces)
    this.scores = new Float32Array(scores.buffer)
    const rules = config.table(ENCODER.prefixes)?.words(NODES)
    const replacements = config.content(ENCODER.replacements)
    this.rules = rules && rules.length > 0 && replacements !== null ? new DoubleArray(rules) : null
    this.replacements = replacements ?? new Uint8Array(0)
  }

  encode(text: Uint8Array, { bos, eos, reverse }: Extras): number[] {
    const { config } = this
    const unknown = config.int32(ENCODER.unknown, -1)
    const offset = config.int32(ENCODER.offset)
    const ids = this.path(this.normalize(text), unknown).map((id) => (id === unknown ? id : id + offset))
    if (bos) ids.unshift(config.int32(ENCODER.start))
    if (eos) ids.push(config.int32(ENCODER.end))
    return reverse ? ids.reverse() : ids
  }

  private normalize(text: Uint8Array): Uint8Array {
    const { config } = this
    if (text.length === 0) return text
    let result = config.boolean(ENCODER.dummyPrefix) ? Uint8Array.of(0x20, ...text) : text
    if (this.rules !== null) result = this.replaced(result, this.rules)
    if (config.boolean(ENCODER.removeSpaces)) {
      // A run becomes a space; a space of its own stays what it is, and the last one goes.
      const kept: number[] = []
      result.forEach((byte, at) => {
        if (!isSpace(byte)) kept.push(byte)
        else if (at === 0 || !isSpace(result[at - 1])) kept.push(isSpace(result[at + 1]) ? 0x20 : byte)
      })
      if (isSpace(kept.at(-1))) kept.pop()
      result = Uint8Array.from(kept)
    }
    if (!config.boolean(ENCODER.escapeSpaces)) return result
    return Uint8Array.from(Array.from(result).flatMap((byte) => (isSpace(byte) ? [...SPACE] : [byte])))
  }

  /** `text` with the longest rule that fits at each byte applied. */
  private replaced(text: Uint8Array, rules: DoubleArray): Uint8Array {
    const out: number[] = []
    for (let at = 0; at < text.length; ) {
      let [longest, value] = [0, 0]
      eachPrefix(rules, text, at, (end, found) => {
        ;[longest, value] = [end - at, found]
      })
      if (longest === 0) {
        out.push(text[at++])
        continue
      }
      for (let i = value; i < this.replacements.length && this.replacements[i] !== 0; i++)
        out.push(this.replacements[i])
      at += longest
    }
    return Uint8Array.from(out)
  }

  /** The ids along the best way; bytes that no piece covers are one unknown piece for as many as there are. */
  private path(text: Uint8Array, unknown: number): number[] {
    const size = text.length
    const penalty = this.config.float32(ENCODER.penalty)
    const best = new Float32Array(size + 1)
    const ids = new Int32Array(size + 1).fill(-1)
    const from = new Int32Array(size + 1).fill(-1)
    const offer = (end: number, score: number, id: number, start: number) => {
      if (from[end] >= 0 && !(best[end] < score)) return
      best[end] = score
      ids[end] = id
      from[end] = start
    }
    for (let at = 0; at < size; at++) {
      if (at > 0 && from[at] < 0) continue
      if (unknown >= 0) offer(at + 1, Math.fround(best[at] + penalty), unknown, ids[at] === unknown ? from[at] : at)
      eachPrefix(this.pieces, text, at, (end, id) => {
        if (id >= this.scores.length) throw new InvalidArgumentError(`the model has no score for its piece ${id}`)
        offer(end, Math.fround(best[at] + this.scores[id]), id, at)
      })
    }
    const path: number[] = []
    if (from[size] >= 0) for (let end = size; end > 0; end = from[end]) path.push(ids[end])
    return path.reverse()
  }
}

/** Calls `found` for the words of `trie` that the text at `start` begins with, the shortest first. */
function eachPrefix(
  trie: DoubleArray,
  text: Uint8Array,
  start: number,
  found: (end: number, value: number) => void,
): void {
  let node: number = DoubleArray.ROOT
  for (let at = start; at < text.length; at++) {
    node = trie.step(node, text[at])
    if (node < 0) return
    const value = trie.valueOf(node)
    if (value >= 0) found(at + 1, value)
  }
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 9 || byte === 10 || byte === 13

/** Joins pieces by their ids (core/kernels/sentencepiece/optimized_decoder.cc). */
export class FastDecoder {
  private readonly pieces: readonly Uint8Array[]
  private readonly offset: number
  private readonly removeDummyPrefix: boolean

  /** @throws {InvalidArgumentError} where `model` is none */
  constructor(model: Uint8Array) {
    const config = configOf(model)
    this.pieces = config.contents(DECODER.pieces) ?? []
    this.offset = config.int32(DECODER.offset)
    this.removeDummyPrefix = config.boolean(DECODER.removeDummyPrefix)
  }

  decode(ids: ArrayLike<number>, start: number, end: number): Uint8Array {
    const text: number[] = []
    for (let i = start; i < end; i++) {
      const piece = this.pieces[ids[i] - this.offset]
      if (piece === undefined) throw new InvalidArgumentError(`Sentencepiece conversion failed: no piece ${ids[i]}`)
      const skipped = i === start && this.removeDummyPrefix && piece[0] === 0x20 ? 1 : 0
      for (let at = skipped; at < piece.length; at++) text.push(piece[at])
    }
    return Uint8Array.from(text)
  }
}
