import type { Port } from '../graph/index.ts'
import type { Step } from '../preprocess/index.ts'
import { type Declarations, type Plan, planOf, type Way } from './plan.ts'
import { CUTS, FRAMES, hashes, hasPieces, LETTERS, lookups, type Numbering, paddings, unknownOf } from './steps.ts'
import type { KnownVocabulary } from './vocabulary.ts'

/** What an input of tokens holds: their ids, a mask of where they are, the segment of each, or how many they are. */
export type Role = 'ids' | 'mask' | 'segments' | 'count'

/** What a text may be made into tokens by. */
export interface TextSources {
  /** Raw features that may be the text, the likeliest first. */
  readonly from: readonly string[]
  /** True where the feature is a list already. */
  readonly listed: boolean
  /** True where it is numbers: ids that are only cut and padded. */
  readonly numeric: boolean
  readonly vocabularies: readonly KnownVocabulary[]
  /** Rows of the embedding tables that the ids choose from. */
  readonly sizes: readonly number[]
}

/** Lengths that sequences are cut to where the signature does not say it. */
const LENGTHS = [
  16, 32, 64, 128, 8, 10, 12, 20, 24, 25, 30, 40, 48, 50, 60, 80, 100, 150, 200, 250, 256, 300, 400, 500, 512,
]

interface Cut {
  /** True for BERT's tokenizer, which needs the vocabulary and knows of letters itself. */
  readonly pieces: boolean
  readonly steps: readonly Step[]
}

/** The pipelines from a text to ids of a list of tokens, with the inputs that go with them. */
export function textPlan(ports: ReadonlyMap<Port, Role>, sources: TextSources): Plan {
  const { from, listed, numeric, vocabularies, sizes } = sources
  const numberings = numeric ? [UNNUMBERED] : [...vocabularies.flatMap((v) => lookups(v, sizes)), ...hashes(sizes)]
  const cuts = numeric ? LISTED : cutsOf(vocabularies, listed)
  const values = [...new Set(numberings.flatMap((numbering) => paddings(numbering, sizes)))]
  const framed = vocabularies.some(hasPieces)
  const frames: Way<(typeof FRAMES)[number]>[] = FRAMES.filter((frame) =>
    vocabularies.some(({ tokens }) => frame.every((token) => token === null || tokens.includes(token))),
  ).map((frame) => [frame.filter((token) => token !== null).join(' … '), frame])
  const unframed: Way<(typeof FRAMES)[number]> = ['none', [null, null]]
  return planOf(
    [...ports.keys()].map(({ name }) => name),
    {
      from: ['raw feature', from.map((name): Way<string> => [name, name])],
      cut: ['tokens', cuts],
      letters: ['letters', numeric ? LETTERS.slice(0, 1) : LETTERS],
      accents: ['accents', numeric ? ACCENTS.slice(0, 1) : ACCENTS],
      numbering: ['ids', numberings.map((numbering): Way<Numbering> => [numbering.words, numbering])],
      frame: ['special tokens', framed ? [...frames, unframed] : [unframed, ...frames]],
      length: ['length', lengthsOf([...ports.keys()])],
      cutSide: ['cut off', SIDES],
      padSide: ['padded', SIDES],
      value: ['padding', values.map((value): Way<number> => [String(value), value])],
      masked: ['mask', [...ports.values()].includes('mask') ? MASKS : MASKS.slice(0, 1)],
    },
    ({ from, cut, letters, accents, numbering, frame, length, cutSide, padSide, value, masked }) => {
      const tokens = tokensOf(cut, letters, accents, numbering)
      const [start, end] = frame
      const framing = (start === null ? 0 : 1) + (end === null ? 0 : 1)
      if (tokens === null || (length !== null && length <= framing)) return null
      // Pieces that no vocabulary has are its unknown token.
      if (cut.pieces && numbering.kept !== undefined) return null
      if (framing > 0 && !frame.every((token) => token === null || numbering.vocabulary?.tokens.includes(token)))
        return null
      const cutting: Step[] =
        length === null
          ? []
          : [{ step: 'truncate', length: length - framing, ...(cutSide === 'end' ? {} : { side: cutSide }) }]
      const special: Step[] =
        framing === 0
          ? []
          : [
              {
                step: 'add_tokens',
                ...(start === null ? {} : { start: [start] }),
                ...(end === null ? {} : { end: [end] }),
              },
            ]
      const list = [...tokens, ...(numbering.kept ?? []), ...cutting, ...special]
      const pad = (fill: number): Step[] =>
        length === null
          ? []
          : [
              {
                step: 'pad',
                length,
                ...(padSide === 'end' ? {} : { side: padSide }),
                ...(fill === 0 ? {} : { value: fill }),
              },
            ]
      const made: Record<Role, readonly Step[]> = {
        ids: [...list, ...numbering.steps, ...pad(value)],
        mask: [...list, { step: 'fill', value: masked }, ...pad(1 - masked)],
        segments: [...list, { step: 'fill', value: 0 }, ...pad(0)],
        count: [...list, { step: 'count' }],
      }
      const all = [...ports].map(([{ name }, role]) => declared(name, from, made[role]))
      return all.includes(null) ? null : Object.assign({}, ...all)
    },
  )
}

const UNNUMBERED: Numbering = { words: 'as they are', steps: [], vocabulary: null, first: 0 }
const LISTED: readonly Way<Cut>[] = [['as listed', { pieces: false, steps: [] }]]
const ACCENTS: readonly Way<boolean>[] = [
  ['kept', false],
  ['stripped', true],
]
const SIDES: readonly Way<'end' | 'start'>[] = [
  ['at the end', 'end'],
  ['at the start', 'start'],
]
const MASKS: readonly Way<number>[] = [
  ['1 where tokens are', 1],
  ['0 where tokens are', 0],
]

/** How an input is made: as it is where there are no steps; null where a feature of another name has none. */
export function declared(input: string, from: string, steps: readonly Step[]): Declarations | null {
  if (steps.length === 0) return from === input ? { [input]: null } : null
  return { [input]: { ...(from === input ? {} : { from }), steps: [...steps] } }
}

function cutsOf(vocabularies: readonly KnownVocabulary[], listed: boolean): readonly Way<Cut>[] {
  const plain = CUTS.map(([words, steps]): Way<Cut> => [words, { pieces: false, steps }])
  const pieces: readonly Way<Cut>[] =
    vocabularies.length === 0 ? [] : [["pieces of words, BERT's", { pieces: true, steps: [] }]]
  return [...(listed ? LISTED : []), ...(vocabularies.some(hasPieces) ? [...pieces, ...plain] : [...plain, ...pieces])]
}

function tokensOf(
  cut: Cut,
  letters: readonly Step[],
  stripped: boolean,
  { vocabulary }: Numbering,
): readonly Step[] | null {
  if (!cut.pieces) return [...letters, ...(stripped ? [{ step: 'strip_accents' } as const] : []), ...cut.steps]
  // BERT's tokenizer drops accents where it folds case; it knows one way to do so.
  if (vocabulary === null || stripped || letters.some((step) => 'unicode' in step)) return null
  const unknown = unknownOf(vocabulary)
  return [
    {
      step: 'bert_tokens',
      vocabulary: vocabulary.tokens,
      ...(letters.length > 0 ? {} : { lower_case: false }),
      ...(unknown === undefined || unknown === '[UNK]' ? {} : { unknown }),
    },
  ]
}

function lengthsOf(ports: readonly Port[]): readonly Way<number | null>[] {
  const known = ports.map(({ shape }) => (shape?.length === 2 ? shape[1] : null)).find((dim) => dim !== null)
  if (known !== undefined) return [[String(known), known]]
  return [...LENGTHS.map((length): Way<number> => [String(length), length]), ['as long as it is', null]]
}
