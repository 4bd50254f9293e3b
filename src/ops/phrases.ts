import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { Strings, StringsBuilder, type TensorOf, tensor } from '../tensor/index.ts'
import { integersOf, placesOf } from './integers.ts'
import { encode } from './text/bytes.ts'
import { DoubleArray } from './text/doublearray.ts'
import { FlatTable } from './text/flatbuffer.ts'
import { eachWord } from './text/whitespace.ts'
import { checkSplits, int64, strings, texts } from './tokens.ts'

// Texts as phrases of a vocabulary and back, after tensorflow_text's core/kernels/phrase_tokenizer.cc.

const SPACE = 32
/** What is cut off the end of a word, where the model says so. */
const ENDINGS = ["'t", "'s", '.', ',', '!', '?', "'m", "'re", "'ll", "'d", "'ve"].map(encode)

/** The fields of a PhraseTokenizerConfig, by their place in the schema. */
const FIELD = { prob: 0, unknown: 1, unknownId: 2, detokenize: 3, vocabulary: 4, trie: 5, whitespace: 6, endings: 7 }

interface Phrases {
  readonly unknown: Uint8Array
  readonly unknownId: number
  readonly trie: DoubleArray
  readonly whitespace: Uint8Array
  readonly endings: boolean
  /** The phrases by their ids, in a model that turns ids back. */
  readonly vocabulary: readonly Uint8Array[] | null
}

const KNOWN = new WeakMap<Uint8Array, Phrases>()

function phrasesOf(model: Uint8Array): Phrases {
  const known = KNOWN.get(model)
  if (known !== undefined) return known
  const table = FlatTable.root(model)
  const units = table.table(FIELD.trie)?.words(0)
  const whitespace = table.content(FIELD.whitespace)
  if (units == null || whitespace === null)
    throw new InvalidArgumentError('PhraseTokenizerConfig has no trie or no white space')
  if (table.int32(FIELD.prob) > 0)
    throw new InvalidArgumentError('the model chooses phrases at random (prob > 0): no two runs need agree')
  const phrases = {
    unknown: table.content(FIELD.unknown) ?? new Uint8Array(0),
    unknownId: table.int32(FIELD.unknownId),
    trie: new DoubleArray(units),
    whitespace,
    endings: table.boolean(FIELD.endings),
    vocabulary: table.boolean(FIELD.detokenize) ? table.contents(FIELD.vocabulary) : null,
  }
  KNOWN.set(model, phrases)
  return phrases
}

const endsWith = (word: Uint8Array, ending: Uint8Array): boolean =>
  word.length >= ending.length && ending.every((byte, i) => word[word.length - ending.length + i] === byte)

/** The words of a text with one space between, and one before an ending. */
function spaced(bytes: Uint8Array, start: number, end: number, { whitespace, endings }: Phrases): Uint8Array {
  const out: number[] = []
  eachWord(bytes, start, end, whitespace, (from, to) => {
    const word = bytes.subarray(from, to)
    const ending = endings ? ENDINGS.find((one) => endsWith(word, one)) : undefined
    if (out.length > 0) out.push(SPACE)
    if (ending === undefined) out.push(...word)
    else out.push(...word.subarray(0, word.length - ending.length), SPACE, ...ending)
  })
  return Uint8Array.from(out)
}

/** The longest phrase at `at` that ends where a word does; null where there is none. */
function longest(
  words: Uint8Array,
  at: number,
  trie: DoubleArray,
): { readonly id: number; readonly end: number } | null {
  let found: { id: number; end: number } | null = null
  let node = DoubleArray.ROOT
  for (let end = at; end < words.length; ) {
    node = trie.step(node, words[end++])
    if (node < 0) break
    const id = trie.valueOf(node)
    if (id >= 0 && (end === words.length || words[end] === SPACE)) found = { id, end }
  }
  return found
}

const tokenize: Op = {
  outputs: ['output_subwords', 'output_ids', 'output_row_splits'],
  evaluate(call) {
    const { bytes, offsets, length } = texts(call, 0)
    const phrases = phrasesOf((call.inputs[1] as TensorOf<'uint8'>).data)
    const tokens = new StringsBuilder(length * 4)
    const [ids, splits]: number[][] = [[], [0]]
    for (let i = 0; i < length; i++) {
      const words = spaced(bytes, offsets[i], offsets[i + 1], phrases)
      for (let at = 0; at < words.length; ) {
        const phrase = longest(words, at, phrases.trie)
        if (phrase === null) {
          tokens.push(phrases.unknown)
          ids.push(phrases.unknownId)
          const space = words.indexOf(SPACE, at)
          at = space < 0 ? words.length : space + 1
        } else {
          tokens.pushRange(words, at, phrase.end)
          ids.push(phrase.id)
          at = phrase.end + 1
        }
      }
      splits.push(ids.length)
    }
    return [strings(tokens), int64(ids), int64(splits)]
  },
}

const detokenize: Op = {
  evaluate(call) {
    const ids = placesOf(call.inputs[0])
    const splits = integersOf(call.inputs[1], 'input_row_splits')
    const { vocabulary, endings } = phrasesOf((call.inputs[2] as TensorOf<'uint8'>).data)
    if (vocabulary === null) throw new InvalidArgumentError('the model was built without support_detokenization')
    checkSplits(splits, ids.length)
    const made: Uint8Array[] = []
    for (let row = 0; row + 1 < splits.length; row++) {
      const out: number[] = []
      for (let at = splits[row]; at < splits[row + 1]; at++) {
        const phrase = vocabulary[ids[at]]
        if (phrase === undefined) throw new InvalidArgumentError(`Token ID out of bounds: ${ids[at]}`)
        const isEnding = endings && ENDINGS.some((one) => one.length === phrase.length && endsWith(phrase, one))
        const first = endings ? out.length === 0 : at === splits[row]
        if (!isEnding && !first) out.push(SPACE)
        out.push(...phrase)
      }
      made.push(Uint8Array.from(out))
    }
    return tensor('string', [made.length], Strings.from(made))
  },
}

export const ops: Readonly<Record<string, Op>> = {
  PhraseTokenize: tokenize,
  'TFText>PhraseDetokenize': detokenize,
}
