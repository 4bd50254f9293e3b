import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { halvesOf, Strings, type Tensor, tensor, zeros } from '../tensor/index.ts'
import { tableOf } from './tables.ts'
import { isSpace } from './text/spaces.ts'

// Texts to the ids of their words as one op, which lower/ makes of the ten that Keras's TextVectorization is exported as.

/** What becomes of a byte that is not kept. */
const REMOVED = -1
const SPACE = -2

const FATES = new WeakMap<Attrs, Int16Array>()

/** By byte: what is kept of it, in its case, or REMOVED, or SPACE. */
function fatesOf(attrs: Attrs): Int16Array {
  let fates = FATES.get(attrs)
  if (fates === undefined) {
    const removed = attrs.bytes('removed')
    const lower = attrs.boolean('lower')
    fates = Int16Array.from({ length: 256 }, (_, byte) => {
      const kept = lower && byte >= 65 && byte <= 90 ? byte + 32 : byte
      return removed.includes(kept) ? REMOVED : isSpace(kept) ? SPACE : kept
    })
    FATES.set(attrs, fates)
  }
  return fates
}

/** The words of all texts one after the other, and for each text where its words end among them. */
export function wordsOf(
  { bytes, offsets, length }: Strings,
  attrs: Attrs,
): { readonly words: Strings; readonly ends: Uint32Array } {
  const fates = fatesOf(attrs)
  const most = offsets[length] - offsets[0]
  const kept = zeros('uint8', most)
  // Between two words lies a space: n bytes hold at most (n + 1) / 2.
  const wordEnds = zeros('uint32', ((most + length) >> 1) + 1)
  const ends = zeros('uint32', length)
  let used = 0
  let count = 0
  for (let text = 0; text < length; text++) {
    let start = used
    for (let i = offsets[text]; i < offsets[text + 1]; i++) {
      const fate = fates[bytes[i]]
      if (fate >= 0) kept[used++] = fate
      else if (fate === SPACE && used > start) {
        wordEnds[++count] = used
        start = used
      }
    }
    if (used > start) wordEnds[++count] = used
    ends[text] = count
  }
  return { words: new Strings(kept.subarray(0, used), wordEnds.subarray(0, count + 1)), ends }
}

/**
 * ids[texts, width] (int64) of the words of each text, and how many words of each are among them: what is looked up in a
 * table, cut after `width` words (-1: as many as the longest text has) and filled up with a padding.
 *
 * Inputs: the table, texts string[texts], the id of what it does not hold, the padding. With `lower` ASCII letters are
 * lower-cased first (StringLower), then the bytes `removed` are left out (StaticRegexReplace of a class by nothing), then
 * words are what lies between white space (StringSplitV2 without a separator; so no word is empty).
 */
const wordIds: Op = {
  outputs: ['ids', 'lengths'],
  stateful: true,
  evaluate(call) {
    const [, texts, fallback, padding] = call.inputs
    if (texts.dtype !== 'string' || texts.shape.length !== 1)
      throw new InvalidArgumentError(`input must be a vector, got shape: [${texts.shape}]`)
    const { words, ends } = wordsOf(texts.data, call.attrs)
    const found = tableOf(call).find(tensor('string', [words.length], words), fallback)
    const [rows] = texts.shape
    const width = call.attrs.number('width')
    return padded(found.data as BigInt64Array, ends, width < 0 ? longest(ends) : width, rows, padding)
  },
}

function longest(ends: Uint32Array): number {
  let most = 0
  for (let row = 0; row < ends.length; row++) most = Math.max(most, ends[row] - (row === 0 ? 0 : ends[row - 1]))
  return most
}

/** By halves: a BigInt for each id costs more than looking it up. */
function padded(found: BigInt64Array, ends: Uint32Array, width: number, rows: number, padding: Tensor): Tensor[] {
  const ids = zeros('int64', rows * width)
  const lengths = zeros('int64', rows)
  const [from, to, counts] = [halvesOf(found), halvesOf(ids), halvesOf(lengths)]
  const [low, high] = halvesOf(padding.data as BigInt64Array)
  for (let row = 0, word = 0, at = 0; row < rows; row++) {
    const end = Math.min(ends[row], word + width)
    counts[2 * row] = end - word
    for (; word < end; word++, at += 2) {
      to[at] = from[2 * word]
      to[at + 1] = from[2 * word + 1]
    }
    for (const last = 2 * (row + 1) * width; at < last; at += 2) {
      to[at] = low
      to[at + 1] = high
    }
    word = ends[row]
  }
  return [tensor('int64', [rows, width], ids), tensor('int64', [rows], lengths)]
}

export const ops: Readonly<Record<string, Op>> = { 'twotower>WordIds': wordIds }
