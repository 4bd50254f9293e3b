import type { Step } from '../preprocess/index.ts'
import type { KnownVocabulary } from './vocabulary.ts'

// The ways in which pipelines are usually written, as steps of preprocess.json. The first of a list is the likeliest.

/** How a token gets its id. */
export interface Numbering {
  readonly words: string
  /** What is done to the tokens before they are cut off, framed and counted. */
  readonly kept?: readonly Step[]
  readonly steps: readonly Step[]
  readonly vocabulary: KnownVocabulary | null
  /** The id of the vocabulary's first token. */
  readonly first: number
}

/** Names that vocabularies have for what is not in them. */
const UNKNOWN = ['[UNK]', '<unk>', '<UNK>', 'UNK', '<oov>', '<OOV>', '[OOV]', 'unk']
const PADDING = ['[PAD]', '<pad>', '<PAD>', 'PAD', '']

export const unknownOf = ({ tokens }: KnownVocabulary): string | undefined =>
  UNKNOWN.find((token) => tokens.includes(token))

/** True where a vocabulary is one of word pieces. */
export const hasPieces = ({ tokens }: KnownVocabulary): boolean => tokens.some((token) => /^##./.test(token))

/** The ids that padding may have under a numbering; the sizes are those of embedding tables. */
export function paddings({ vocabulary, first }: Numbering, sizes: readonly number[]): number[] {
  const padding = PADDING.map((token) => vocabulary?.tokens.indexOf(token) ?? -1).find((i) => i >= 0)
  const named = padding === undefined ? [] : [first + padding]
  const past = vocabulary === null ? [] : [first + vocabulary.tokens.length]
  return [...new Set([...named, 0, 1, ...past, ...sizes.map((size) => size - 1), -1])]
}

/** Ways to number tokens by a vocabulary whose embedding table has one of `sizes` rows. */
export function lookups(vocabulary: KnownVocabulary, sizes: readonly number[]): Numbering[] {
  const { tokens, name } = vocabulary
  const named = unknownOf(vocabulary)
  const unknown = named === undefined ? null : tokens.indexOf(named)
  const found = new Map<string, Numbering>()
  const add = (first: number, otherwise: number | null | readonly [from: number, count: number]) => {
    const key = `${first} ${otherwise}`
    if (found.has(key)) return
    const others =
      otherwise === null
        ? 'others refused'
        : typeof otherwise === 'number'
          ? `others ${otherwise}`
          : `others hashed to ${otherwise[0]} … ${otherwise[0] + otherwise[1] - 1}`
    const step = { step: 'lookup', vocabulary: tokens } as const
    const steps: Step[] = [
      otherwise === null
        ? { ...step, oov_ids: 0, ...(first === 0 ? {} : { offset: first }) }
        : typeof otherwise === 'number'
          ? asKeras(step, first, otherwise)
          : { ...step, oov_ids: otherwise[1], ...(otherwise[0] === 0 ? {} : { offset: otherwise[0] }) },
    ]
    found.set(key, { words: `${name}, ids from ${first}, ${others}`, steps, vocabulary, first })
  }
  const drop = (first: number) => {
    const words = `${name}, ids from ${first}, others dropped`
    const offset = first === 0 ? {} : { offset: first }
    const steps: Step[] = [{ step: 'lookup', vocabulary: tokens, oov_ids: 0, ...offset }]
    found.set(words, { words, kept: [{ step: 'keep_known', vocabulary: tokens }], steps, vocabulary, first })
  }
  if (vocabulary.first !== undefined) add(vocabulary.first, unknown === null ? 0 : vocabulary.first + unknown)
  if (unknown !== null) add(0, unknown)
  add(1, 0)
  add(2, 1)
  add(0, null)
  for (const first of new Set([vocabulary.first ?? 1, 1, 0, 2])) drop(first)
  for (const size of sizes) {
    const spare = size - tokens.length
    if (spare > 1) add(spare, [0, spare])
    if (spare > 2) add(spare, [1, spare - 1])
  }
  for (const first of [0, 1, 2, 3, ...(vocabulary.first === undefined ? [] : [vocabulary.first])]) {
    const ends = [first + tokens.length, ...sizes.map((size) => size - 1)]
    const names = unknown === null ? [] : [first + unknown]
    for (const otherwise of [...names, 0, 1, 2, ...ends]) add(first, otherwise)
    add(first, null)
  }
  return [...found.values()]
}

/** A lookup as Keras's layers would be declared, where they number so. */
function asKeras(
  step: { readonly step: 'lookup'; readonly vocabulary: string[] },
  first: number,
  otherwise: number,
): Step {
  if (first === 1 && otherwise === 0) return step
  if (first === 2 && otherwise === 1) return { ...step, mask: '' }
  return { ...step, ...(first === 0 ? {} : { offset: first }), default_id: otherwise }
}

/** Ways to number by hashing into as many buckets as the table has rows. */
export const hashes = (sizes: readonly number[]): Numbering[] =>
  sizes.flatMap((buckets) => [
    hash(`hashed into ${buckets} buckets`, { step: 'hash', buckets }),
    ...(buckets < 2
      ? []
      : [hash(`hashed into ${buckets} buckets, 0 for empty text`, { step: 'hash', buckets, mask: '' })]),
  ])

const hash = (words: string, step: Step): Numbering => ({ words, steps: [step], vocabulary: null, first: 0 })

/** As a text is lower-cased. */
export const LETTERS = [
  ['as they are', []],
  ['lower-cased', [{ step: 'lower_case' }]],
  ['lower-cased beyond ASCII', [{ step: 'lower_case', unicode: true }]],
] as const satisfies readonly (readonly [string, readonly Step[]])[]

/** Keras's TextVectorization strips these. */
const STRIPPED = '[!"#$%&()\\*\\+,-\\./:;<=>?@\\[\\\\\\]^_`{|}~\\\']'
/** Keras's Tokenizer makes spaces of these: an apostrophe stays. */
const FILTERED = '[!"#$%&()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~\\t\\n]'

/** As a text is cut into tokens, by pattern alone. */
export const CUTS: readonly (readonly [string, readonly Step[]])[] = [
  ['words at white space', [{ step: 'split' }]],
  [
    'punctuation removed, words at white space',
    [{ step: 'regex_replace', pattern: STRIPPED, rewrite: '' }, { step: 'split' }],
  ],
  [
    "punctuation but ' as spaces, words at white space",
    [{ step: 'regex_replace', pattern: FILTERED, rewrite: ' ' }, { step: 'split' }],
  ],
  ['runs of letters, digits and _', [{ step: 'regex_split', delimiter: '\\W+' }]],
  ["runs of letters, digits, _ and '", [{ step: 'regex_split', delimiter: "[^\\w']+" }]],
  ['runs of letters and digits of any script', [{ step: 'regex_split', delimiter: '[^\\pL\\pN]+' }]],
  ['characters', [{ step: 'characters' }]],
  ['parts at ","', [{ step: 'split', separator: ',' }]],
  ['parts at ", "', [{ step: 'split', separator: ', ' }]],
  ['parts at "|"', [{ step: 'split', separator: '|' }]],
  ['parts at ";"', [{ step: 'split', separator: ';' }]],
]

/** Tokens that stand before and after a text's own. */
export const FRAMES: readonly (readonly [start: string | null, end: string | null])[] = [
  ['[CLS]', '[SEP]'],
  ['<s>', '</s>'],
  ['[START]', '[END]'],
  ['<start>', '<end>'],
  ['[CLS]', null],
  [null, '[SEP]'],
  [null, '</s>'],
]
