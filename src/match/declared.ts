import { type Preprocess, type Step, stepsOf } from '../preprocess/index.ts'
import type { Dimension, Plan, Way } from './plan.ts'
import { CUTS, LETTERS, lookups } from './steps.ts'
import type { Place } from './subject.ts'

/** Plans that vary what is declared already: each step in its own way, alike in all inputs that share it. */
export function startPlans({ inputs }: Preprocess, places: readonly Place[]): Plan[] {
  const names = new Set(places.map(({ port }) => port.name))
  const byFeature = new Map<string, [input: string, steps: readonly Step[]][]>()
  for (const [input, declaration] of Object.entries(inputs)) {
    if (!names.has(input)) continue
    const from = declaration.from ?? input
    byFeature.set(from, [...(byFeature.get(from) ?? []), [input, stepsOf(declaration)]])
  }
  return [...byFeature].map(([from, all]) => {
    const sizes = places.filter(({ port }) => all.some(([input]) => input === port.name)).flatMap(({ sizes }) => sizes)
    return variations(from, all, sizes)
  })
}

function variations(
  from: string,
  inputs: readonly (readonly [input: string, steps: readonly Step[]])[],
  sizes: readonly number[],
): Plan {
  const shared = new Map<string, { readonly what: string; readonly ways: readonly Way<readonly Step[]>[] }>()
  // A vocabulary makes a long key: each step has its own once.
  const keys = new Map<Step, string>()
  for (const step of inputs.flatMap(([, steps]) => steps)) {
    const key = JSON.stringify(step)
    keys.set(step, key)
    shared.set(key, { what: `step ${step.step}`, ways: waysOf(step, sizes) })
  }
  const order = [...shared.keys()]
  const cutsText = inputs.some(([, steps]) => steps.some(({ step }) => CUTTING.has(step)))
  const lowers = inputs.some(([, steps]) => steps.some(({ step }) => step === 'lower_case' || step === 'bert_tokens'))
  const letters: readonly Way<readonly Step[]>[] = cutsText && !lowers ? LETTERS : LETTERS.slice(0, 1)
  const dimensions: Dimension[] = [
    { what: 'letters', ways: letters.map(([words]) => words) },
    ...[...shared.values()].map(({ what, ways }) => ({ what, ways: ways.map(([words]) => words) })),
  ]
  return {
    inputs: inputs.map(([input]) => input),
    dimensions,
    parameters: () => [],
    declare: ([letter, ...ways]) => {
      const made = inputs.map(([input, steps]) => {
        const varied: Step[] = [...letters[letter][1]]
        for (const step of steps) {
          const key = keys.get(step) ?? ''
          varied.push(...(shared.get(key)?.ways[ways[order.indexOf(key)]][1] ?? [step]))
        }
        return [input, varied] as const
      })
      if (made.some(([, steps]) => steps.length === 0)) return null
      return Object.fromEntries(made.map(([input, steps]) => [input, { ...(from === input ? {} : { from }), steps }]))
    },
  }
}

const CUTTING = new Set(['split', 'regex_split', 'characters', 'bert_tokens'])

/** A step as it is declared, and what may have stood in its place. */
function waysOf(step: Step, sizes: readonly number[]): readonly Way<readonly Step[]>[] {
  const asDeclared: Way<readonly Step[]> = ['as declared', [step]]
  const others = othersThan(step, sizes)
  const same = JSON.stringify([step])
  return [asDeclared, ...others.filter(([, steps]) => JSON.stringify(steps) !== same)]
}

function othersThan(step: Step, sizes: readonly number[]): readonly Way<readonly Step[]>[] {
  const left: Way<readonly Step[]> = ['left out', []]
  const side = (now: 'start' | 'end' | undefined) => (now === 'start' ? 'end' : 'start')
  switch (step.step) {
    case 'lower_case':
      return [left, ...LETTERS.slice(1)]
    case 'strip':
    case 'strip_accents':
    case 'normalize_unicode':
    case 'regex_replace':
    case 'clip':
    case 'log1p':
    case 'standardize':
    case 'min_max':
      return [left]
    case 'split':
    case 'regex_split':
    case 'characters':
      return CUTS
    case 'bert_tokens':
      return [
        [
          step.lower_case === false ? 'lower-cased' : 'letters as they are',
          [{ ...step, lower_case: step.lower_case === false }],
        ],
        ...CUTS,
      ]
    case 'truncate':
      return [[`cut off at the ${side(step.side)}`, [{ ...step, side: side(step.side) }]]]
    case 'add_tokens': {
      const { start, end } = step
      return [
        left,
        ...(start === undefined ? [] : [['at the start only', [{ step: 'add_tokens', start }]] as const]),
        ...(end === undefined ? [] : [['at the end only', [{ step: 'add_tokens', end }]] as const]),
      ]
    }
    case 'lookup': {
      if (!Array.isArray(step.vocabulary)) return []
      const known = { name: 'its vocabulary', tokens: step.vocabulary, plain: false }
      return lookups(known, sizes).map(({ words, steps }) => [words, steps])
    }
    case 'hash':
      return step.mask === undefined
        ? [['0 for empty text', [{ ...step, mask: '' }]]]
        : [['no bucket for empty text', [{ step: 'hash', buckets: step.buckets }]]]
    case 'pad':
      return (['end', 'start'] as const).flatMap((side) =>
        [0, 1, -1, ...sizes.map((size) => size - 1)].map(
          (value): Way<readonly Step[]> => [
            `${value} at the ${side}`,
            [
              {
                step: 'pad',
                length: step.length,
                ...(side === 'end' ? {} : { side }),
                ...(value === 0 ? {} : { value }),
              },
            ],
          ],
        ),
      )
    default:
      return []
  }
}
