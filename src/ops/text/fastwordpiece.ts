import { InvalidArgumentError } from '../../errors.ts'
import { concatBytes, type StringsBuilder } from '../../tensor/index.ts'
import { join } from './bytes.ts'
import { isBreakCharacter, isWhiteSpace } from './characters.ts'
import { DoubleArray } from './doublearray.ts'
import { FlatTable } from './flatbuffer.ts'
import { characterAt, codeOf, lengthOf } from './utf8.ts'

/** Fields of fast_wordpiece_tokenizer_model.fbs. */
const FIELD = {
  trie: 0,
  failures: 1,
  pops: 2,
  suffixRoot: 3,
  longest: 4,
  suffix: 5,
  unknown: 6,
  unknownId: 7,
  forSuffix: 8,
  punctuationNode: 9,
  endToEnd: 10,
  detokenizes: 11,
  vocabulary: 12,
  isSuffix: 13,
} as const

/** A token's code: bit 30 says that it continues a word, then its id, and in 8 bits its length without the suffix, less 1. */
const SUFFIX_BIT = 1 << 30
const idOf = (token: number): number => (token & (SUFFIX_BIT - 1)) >> 8
const lengthIn = (token: number): number => (token & 0xff) + 1

const NO_NODE = 0xffffffff
const SPACE = Uint8Array.of(32)

/** Tokens found, all texts one after the other: the ids, and the bytes of the text at which each begins and ends. */
export interface Found {
  readonly values: StringsBuilder
  readonly ids: number[]
  readonly starts: number[]
  readonly ends: number[]
}

/**
 * WordPiece in one pass (fast_wordpiece_tokenizer.cc): a trie of the vocabulary in which each node knows which tokens to
 * give out, and where to go on, when the next byte does not follow. Tokens wait until their word ends, because a word that
 * cannot be cut is one unknown token.
 */
export class FastWordpiece {
  private readonly trie: DoubleArray
  /** Two a node: where to go on, and where in `pops` the tokens to give out lie. */
  private readonly failures: Uint32Array
  private readonly pops: Uint32Array
  private readonly suffixRoot: number
  private readonly punctuationNode: number
  private readonly longest: number
  private readonly suffix: Uint8Array
  private readonly unknown: Uint8Array
  private readonly unknownId: number
  /** The tokens of a word that is the suffix itself. */
  private readonly forSuffix: Uint32Array
  private readonly endToEnd: boolean
  /** Tokens by id without their suffix, and whether they had one; only in a model that turns ids back. */
  private readonly vocabulary: readonly Uint8Array[] | null
  private readonly isSuffix: Uint8Array

  /** The word that is being cut: its tokens so far, where it begins, and how many of its bytes they take. */
  private readonly waiting: { id: number; start: number; end: number }[] = []
  private word = 0
  private taken = 0
  private node = DoubleArray.ROOT

  /** @throws {InvalidArgumentError} where `model` is none */
  constructor(model: Uint8Array) {
    const table = FlatTable.root(model)
    const none = new Uint32Array(0)
    const trie = table.words(FIELD.trie)
    if (trie === null) throw new InvalidArgumentError('FastWordpieceTokenizerConfig or its trie_array is null.')
    this.trie = new DoubleArray(trie)
    this.failures = table.words(FIELD.failures, 2) ?? none
    this.pops = table.words(FIELD.pops) ?? none
    this.suffixRoot = table.int32(FIELD.suffixRoot) >>> 0
    this.punctuationNode = table.int32(FIELD.punctuationNode) >>> 0
    this.longest = table.int32(FIELD.longest)
    this.suffix = table.content(FIELD.suffix) ?? new Uint8Array(0)
    this.unknown = table.content(FIELD.unknown) ?? new Uint8Array(0)
    this.unknownId = table.int32(FIELD.unknownId)
    this.forSuffix = table.words(FIELD.forSuffix) ?? none
    this.endToEnd = table.boolean(FIELD.endToEnd)
    this.vocabulary = table.boolean(FIELD.detokenizes) ? table.contents(FIELD.vocabulary) : null
    this.isSuffix = table.content(FIELD.isSuffix) ?? new Uint8Array(0)
  }

  /** Adds the tokens of `text[start … end)`: of one word, or, as the model says, of a text with spaces and punctuation. */
  tokenize(text: Uint8Array, start: number, end: number, found: Found): void {
    if (start === end) return
    if (this.endToEnd) this.tokenizeText(text, start, end, found)
    else this.tokenizeWord(text, start, end, found)
    this.commit(text, start, found)
  }

  private begin(word: number): void {
    this.word = word
    this.taken = 0
    this.node = DoubleArray.ROOT
  }

  private tokenizeWord(text: Uint8Array, start: number, end: number, found: Found): void {
    this.begin(start)
    if (end - start > this.longest) {
      this.giveUp(start, end, found)
      return
    }
    for (let at = start; at < end; at++) {
      if (this.follow(text, at, at + 1)) continue
      this.giveUp(start, end, found)
      return
    }
    this.finish(text, start, end, found)
  }

  private tokenizeText(text: Uint8Array, start: number, end: number, found: Found): void {
    let [at, next, code, previous] = [start, start, -1, -1]
    while (at < end) {
      this.begin(at)
      while (at < end) {
        previous = code
        const character = characterAt(text, at, end)
        code = codeOf(character)
        next = at + lengthOf(character)
        if (next - this.word > this.longest || !this.follow(text, at, next)) break
        at = next
      }
      if (at >= end) {
        this.finish(text, start, end, found)
        return
      }
      const space = isWhiteSpace(code)
      if (space || isBreakCharacter(code) || (at > start && isBreakCharacter(previous))) {
        const empty = at === this.word
        this.finish(text, start, at, found)
        if (space) at = next
        else if (empty) {
          // A mark of punctuation that the vocabulary lacks.
          at = next
          this.giveUp(start, at, found)
        }
        continue
      }
      at = this.skipWord(text, next, end, start, found)
    }
  }

  /** The word that goes on at `at` is unknown; answers where the next one may begin, past one white space. */
  private skipWord(text: Uint8Array, from: number, end: number, textStart: number, found: Found): number {
    let at = from
    let wordEnd = at
    while (at < end) {
      const character = characterAt(text, at, end)
      if (isWhiteSpace(codeOf(character))) {
        at += lengthOf(character)
        break
      }
      if (isBreakCharacter(codeOf(character))) break
      at += lengthOf(character)
      wordEnd = at
    }
    this.giveUp(textStart, wordEnd, found)
    return at
  }

  /** Goes on by `text[from … to)`, giving out tokens where it must; false where the word cannot be cut. */
  private follow(text: Uint8Array, from: number, to: number): boolean {
    for (;;) {
      const next = this.trie.walk(this.node, text, from, to)
      if (next >= 0) {
        this.node = next
        return true
      }
      if (!this.giveOut()) return false
    }
  }

  /** Gives out the tokens of this node and goes where it leads when nothing follows; false where it leads nowhere. */
  private giveOut(): boolean {
    const token = this.trie.valueOf(this.node)
    const link = this.failures[2 * this.node]
    if (token >= 0) this.take(token)
    else {
      if (link === undefined || link === NO_NODE) return false
      const list = this.failures[2 * this.node + 1]
      const first = list >>> 8
      for (let i = first; i < first + (list & 0xff) + 1; i++) this.take(this.pops[i])
    }
    this.node = link
    return true
  }

  private take(token: number): void {
    const lead = this.taken === 0 && (token & SUFFIX_BIT) !== 0 ? this.suffix.length : 0
    const start = this.taken
    this.taken += lengthIn(token) + lead
    this.waiting.push({ id: idOf(token), start: this.word + start, end: this.word + this.taken })
  }

  /** The word ends before `end`: gives out what the path to this node stands for. */
  private finish(text: Uint8Array, textStart: number, end: number, found: Found): void {
    if (this.node === DoubleArray.ROOT) return
    if (this.node === this.suffixRoot && this.waiting.length === 0) {
      if (this.forSuffix.length === 1 && idOf(this.forSuffix[0]) === this.unknownId) this.giveUp(textStart, end, found)
      else for (const token of this.forSuffix) this.take(token)
    } else {
      while (this.node !== this.suffixRoot && this.node !== this.punctuationNode) {
        if (this.giveOut()) continue
        this.giveUp(textStart, end, found)
        break
      }
    }
    this.commit(text, textStart, found)
  }

  /** The word up to `end` is one unknown token. */
  private giveUp(textStart: number, end: number, { values, ids, starts, ends }: Found): void {
    this.waiting.length = 0
    values.push(this.unknown)
    ids.push(this.unknownId)
    starts.push(this.word - textStart)
    ends.push(end - textStart)
  }

  /** The word's tokens stay. Those that continue it have the suffix in front. */
  private commit(text: Uint8Array, textStart: number, { values, ids, starts, ends }: Found): void {
    for (const { id, start, end } of this.waiting) {
      if (start > this.word) values.append(this.suffix, 0, this.suffix.length)
      if (id === this.unknownId) values.append(this.unknown, 0, this.unknown.length)
      else values.append(text, start, end)
      values.close()
      ids.push(id)
      starts.push(start - textStart)
      ends.push(end - textStart)
    }
    this.waiting.length = 0
  }

  /**
   * Words of the tokens `ids`, with a space between them. A suffix at the beginning keeps its mark.
   * @throws {InvalidArgumentError} for an id that the vocabulary has not, or where the model has no vocabulary
   */
  detokenize(ids: ArrayLike<number>, from: number, to: number): Uint8Array {
    const { vocabulary, isSuffix } = this
    if (vocabulary === null)
      throw new InvalidArgumentError(
        'the model was built without support_detokenization: it cannot turn ids into words',
      )
    const words: Uint8Array[][] = []
    for (let i = from; i < to; i++) {
      const id = ids[i]
      if (!(id >= 0 && id < vocabulary.length && id < isSuffix.length))
        throw new InvalidArgumentError(`Token ID out of bounds: ${id}`)
      const suffix = isSuffix[id] !== 0
      if (!suffix) words.push([vocabulary[id]])
      else if (words.length === 0) words.push([this.suffix, vocabulary[id]])
      else words[words.length - 1].push(vocabulary[id])
    }
    return join(
      words.map((parts) => concatBytes(parts)),
      SPACE,
    )
  }
}
