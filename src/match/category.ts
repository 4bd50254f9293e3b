import type { Port } from '../graph/index.ts'
import type { Step } from '../preprocess/index.ts'
import { type Plan, planOf, type Way } from './plan.ts'
import { CUTS, hashes, LETTERS, lookups } from './steps.ts'
import { declared, type TextSources } from './text.ts'

const ENDS: readonly Way<readonly Step[]>[] = [
  ['kept', []],
  ['stripped', [{ step: 'strip' }]],
]

/** The pipelines from one value to one id. */
export function categoryPlan({ name }: Port, { from, numeric, vocabularies, sizes }: TextSources): Plan {
  const numbers: Way<readonly Step[]>[] = numeric
    ? [
        ['as it is', []],
        ['read as a number', [{ step: 'number' }]],
      ]
    : []
  const numberings = [
    ...vocabularies.flatMap((vocabulary) => lookups(vocabulary, sizes).filter(({ kept }) => kept === undefined)),
    ...hashes(sizes),
  ]
  return planOf(
    [name],
    {
      from: ['raw feature', from.map((feature): Way<string> => [feature, feature])],
      ends: ['white space at the ends', numeric ? ENDS.slice(0, 1) : ENDS],
      letters: ['letters', numeric ? LETTERS.slice(0, 1) : LETTERS],
      ids: ['id', [...numbers, ...numberings.map(({ words, steps }): Way<readonly Step[]> => [words, steps])]],
    },
    ({ from, ends, letters, ids }) => declared(name, from, [...ends, ...letters, ...ids]),
  )
}

/** A declaration has a step: an empty text becomes an empty text. */
const UNCHANGED: readonly Step[] = [{ step: 'regex_replace', pattern: '^$', rewrite: '' }]

/** The pipelines from a text to the text that the graph takes. */
export const plainTextPlan = ({ name }: Port, { from }: TextSources): Plan =>
  planOf(
    [name],
    {
      from: ['raw feature', from.map((feature): Way<string> => [feature, feature])],
      letters: ['letters', LETTERS],
      ends: ['white space at the ends', ENDS],
    },
    ({ from, letters, ends }) => declared(name, from, [...letters, ...ends]) ?? declared(name, from, UNCHANGED),
  )

/** The pipelines from categories to a vector that has 1 at each. */
export function multiHotPlan({ name }: Port, depth: number, { from, listed, vocabularies }: TextSources): Plan {
  const cuts: Way<readonly Step[]>[] = [
    [listed ? 'as listed' : 'one', []],
    ...CUTS.map(([words, steps]): Way<readonly Step[]> => [words, steps]),
  ]
  return planOf(
    [name],
    {
      from: ['raw feature', from.map((feature): Way<string> => [feature, feature])],
      letters: ['letters', LETTERS],
      cut: ['tokens', cuts],
      ids: [
        'id',
        vocabularies.flatMap((vocabulary) =>
          lookups(vocabulary, [depth]).map(
            ({ words, kept = [], steps }): Way<readonly Step[]> => [words, [...kept, ...steps]],
          ),
        ),
      ],
    },
    ({ from, letters, cut, ids }) => declared(name, from, [...letters, ...cut, ...ids, { step: 'multi_hot', depth }]),
  )
}
