import { farmFingerprint64 } from '../ops/hash/farmhash.ts'
import { sipHash24 } from '../ops/hash/siphash.ts'
import { parseFloating } from '../ops/numbertext.ts'
import { encode, lowerAscii, lowerUnicode, splitAt, splitSpaces, strip } from '../ops/text/bytes.ts'
import { Regex } from '../ops/text/regex.ts'
import { codePoints } from '../ops/text/unicode.ts'
import { basicTokens, stripAccents, vocabularyOf, wordpieces } from '../ops/text/wordpiece.ts'
import { Strings } from '../tensor/index.ts'
import type { Step, Vocabulary } from './schema.ts'

/** What flows between steps: one text or number, or a list of them. Text is bytes. */
export type Value = Uint8Array | number | readonly (Uint8Array | number)[] | undefined

/** A step that is ready to run on one row's value. */
export type Run = (value: Value) => Value

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * A step made ready. The algorithms are those of the graph's ops.
 * @throws {TypeError} where its declaration cannot work
 */
export function compileStep(step: Step): Run {
  switch (step.step) {
    case 'lower_case':
      return eachText(step.unicode ? lowerUnicode : lowerAscii)
    case 'normalize_unicode':
      return eachText((text) => encode(decoder.decode(text).normalize(step.form)))
    case 'strip_accents':
      return eachText((text) => encode(stripAccents(decoder.decode(text))))
    case 'strip':
      return eachText(strip)
    case 'regex_replace': {
      const [regex, rewrite] = [new Regex(step.pattern), encode(step.rewrite)]
      return eachText((text) => regex.replace(Strings.from([text]), rewrite, step.all ?? true).at(0))
    }
    case 'split': {
      const separator = step.separator === undefined ? null : encode(step.separator)
      return toTokens((text) => (separator === null ? splitSpaces(text, -1) : splitAt(text, separator, -1)))
    }
    case 'regex_split': {
      const regex = new Regex(step.delimiter)
      return toTokens((text) => splitBy(text, regex))
    }
    case 'characters':
      return toTokens(characters)
    case 'bert_tokens': {
      const pieces = wordpieces(
        vocabularyOf(inline(step.vocabulary)),
        encode(step.suffix ?? '##'),
        encode(step.unknown ?? '[UNK]'),
        step.longest ?? 100,
      )
      return toTokens((text) => basicTokens(text, step.lower_case ?? true).flatMap(pieces))
    }
    case 'keep_known': {
      const index = vocabularyOf(inline(step.vocabulary))
      return onList((list) => list.filter((token) => index.find(textOf(token), 0, textOf(token).length) >= 0))
    }
    case 'truncate':
      return onList((list) =>
        step.side === 'start' ? list.slice(Math.max(0, list.length - step.length)) : list.slice(0, step.length),
      )
    case 'add_tokens': {
      const [start, end] = [(step.start ?? []).map(encode), (step.end ?? []).map(encode)]
      return onList((list) => [...start, ...list, ...end])
    }
    case 'lookup':
      return lookup(step)
    case 'hash':
      return hash(step)
    case 'pad': {
      const { length, value = 0 } = step
      return onList((list) => {
        if (list.length > length)
          throw new RangeError(`${list.length} values do not fit into the length ${length}: truncate them first`)
        const padding = new Array<number>(length - list.length).fill(value)
        return step.side === 'start' ? [...padding, ...list] : [...list, ...padding]
      })
    }
    case 'fill':
      return onList((list) => list.map(() => step.value))
    case 'count':
      return (value) => listOf(value).length
    case 'default': {
      const otherwise = typeof step.value === 'string' ? encode(step.value) : step.value
      return (value) => (value === undefined ? otherwise : value)
    }
    case 'number':
      return each(numberOf)
    case 'clip':
      return eachNumber((x) => Math.min(Math.max(x, step.min ?? -Infinity), step.max ?? Infinity))
    case 'log1p':
      return eachNumber(Math.log1p)
    case 'standardize':
      return eachNumber((x) => (x - step.mean) / step.std)
    case 'min_max': {
      if (!(step.max > step.min))
        throw new TypeError(`min_max: max must be larger than min, got ${step.min} and ${step.max}`)
      return eachNumber((x) => (x - step.min) / (step.max - step.min))
    }
    case 'buckets': {
      const { boundaries } = step
      if (boundaries.some((bound, i) => i > 0 && bound < boundaries[i - 1]))
        throw new TypeError(`buckets: boundaries must rise, got [${boundaries}]`)
      // As core/kernels/bucketize_op.cc: a value on a boundary is above it, NaN above all.
      return eachNumber((x) => boundaries.filter((bound) => !(x < bound)).length)
    }
    case 'vector':
      return (value) => {
        const list = listOf(value).map(numberOf)
        if (list.length !== step.length)
          throw new RangeError(`a vector of ${step.length} numbers is wanted, got ${list.length}`)
        return list
      }
    case 'one_hot':
      return (value) => {
        const ids = listOf(value).map(numberOf)
        if (ids.length !== 1) throw new RangeError(`one id is wanted, got ${ids.length}: multi_hot takes several`)
        return hot(ids, step.depth)
      }
    case 'multi_hot':
      return (value) => hot(listOf(value).map(numberOf), step.depth)
  }
}

/** Vocabularies are read from their files before steps are compiled. */
function inline(vocabulary: Vocabulary): readonly string[] {
  if (Array.isArray(vocabulary)) return vocabulary
  throw new TypeError('a vocabulary in a file must be read first (inlineVocabularies)')
}

/** Keras's StringLookup: [mask], ids of what is not in the vocabulary, then the vocabulary. */
function lookup(step: Extract<Step, { step: 'lookup' }>): Run {
  const tokens = inline(step.vocabulary)
  const index = vocabularyOf(tokens)
  if (new Set(tokens).size !== tokens.length) throw new TypeError('lookup: a token comes twice in the vocabulary')
  const mask = step.mask === undefined ? null : encode(step.mask)
  const oov = step.oov_ids ?? (step.default_id === undefined ? 1 : 0)
  const firstOov = (step.offset ?? 0) + (mask === null ? 0 : 1)
  return each((value) => {
    const text = textOf(value)
    if (mask !== null && text.length === mask.length && text.every((byte, i) => byte === mask[i]))
      return step.offset ?? 0
    const position = index.find(text, 0, text.length)
    if (position >= 0) return firstOov + oov + position
    if (step.default_id !== undefined) return step.default_id
    if (oov === 0)
      throw new RangeError(
        `${JSON.stringify(decoder.decode(text))} is not in the vocabulary, and there are no ids for such`,
      )
    return firstOov + (oov === 1 ? 0 : Number(farmFingerprint64(text) % BigInt(oov)))
  })
}

/** Keras's Hashing: FarmHash, or with a salt SipHash; with a mask bucket 0 is the mask's own. */
function hash({ buckets, salt, mask }: Extract<Step, { step: 'hash' }>): Run {
  const masked = mask === undefined ? null : encode(mask)
  if (masked !== null && buckets < 2) throw new TypeError('hash: with a mask there must be at least 2 buckets')
  const key =
    salt === undefined ? null : ([BigInt.asUintN(64, BigInt(salt[0])), BigInt.asUintN(64, BigInt(salt[1]))] as const)
  const free = BigInt(masked === null ? buckets : buckets - 1)
  return each((value) => {
    // Numbers are hashed as the text that AsString makes of them.
    const text = typeof value === 'number' ? encode(String(value)) : textOf(value)
    if (masked !== null && text.length === masked.length && text.every((byte, i) => byte === masked[i])) return 0
    const hashed = key === null ? farmFingerprint64(text) : sipHash24(key, text)
    return Number(hashed % free) + (masked === null ? 0 : 1)
  })
}

const each =
  (apply: (value: Uint8Array | number) => Uint8Array | number): Run =>
  (value) => {
    if (value === undefined) throw new RangeError('there is no value, and no "default" step gives one')
    return isList(value) ? value.map(apply) : apply(value)
  }

const eachText = (apply: (text: Uint8Array) => Uint8Array): Run => each((value) => apply(textOf(value)))
const eachNumber = (apply: (x: number) => number): Run => each((value) => apply(numberOf(value)))
const onList =
  (apply: (list: readonly (Uint8Array | number)[]) => readonly (Uint8Array | number)[]): Run =>
  (value) =>
    apply(listOf(value))
/** Tokens of one text; of several texts, all their tokens. */
const toTokens =
  (apply: (text: Uint8Array) => readonly Uint8Array[]): Run =>
  (value) =>
    (isList(value) ? value : [value]).flatMap((text) => {
      if (text === undefined) throw new RangeError('there is no value, and no "default" step gives one')
      return apply(textOf(text))
    })

const isList = (value: Value): value is readonly (Uint8Array | number)[] => Array.isArray(value)

function listOf(value: Value): readonly (Uint8Array | number)[] {
  if (value === undefined) throw new RangeError('there is no value, and no "default" step gives one')
  return isList(value) ? value : [value]
}

function textOf(value: Uint8Array | number): Uint8Array {
  if (typeof value === 'number') throw new TypeError(`text is wanted, got the number ${value}`)
  return value
}

function numberOf(value: Uint8Array | number): number {
  if (typeof value === 'number') return value
  const parsed = parseFloating(decoder.decode(value))
  if (parsed === null) throw new TypeError(`a number is wanted, got ${JSON.stringify(decoder.decode(value))}`)
  return parsed
}

function characters(text: Uint8Array): Uint8Array[] {
  const points = codePoints(text, 'UTF-8')
  return points.map(({ offset }, i) => text.subarray(offset, points[i + 1]?.offset))
}

function splitBy(text: Uint8Array, regex: Regex): Uint8Array[] {
  const parts: Uint8Array[] = []
  let start = 0
  for (const [[from, to]] of regex.matches(text)) {
    if (from > start) parts.push(text.subarray(start, from))
    start = to
  }
  if (start < text.length) parts.push(text.subarray(start))
  return parts
}

function hot(ids: readonly number[], depth: number): number[] {
  const out = new Array<number>(depth).fill(0)
  for (const id of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= depth) throw new RangeError(`id ${id} is not in [0, ${depth})`)
    out[id] = 1
  }
  return out
}
