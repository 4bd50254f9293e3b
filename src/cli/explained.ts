import type { Explanation } from '../explain/explain.ts'
import type { Followed } from '../explain/follow.ts'
import { type ExplainedInput, type ExplainedOutput, type ExplainedPart, titleOf } from '../explain/part.ts'
import type { ExplainedScore } from '../explain/score.ts'
import type { Scalar, Stage, Vector } from '../explain/stage.ts'
import { counted, table, wrapped } from './words.ts'

/** Elements of a list that are shown, and rows of an embedding table. */
const [ELEMENTS, ROWS] = [24, 6]
/** From so many on, elements that are alike are counted. */
const MANY_ALIKE = 6
/** Numbers of a vector that are shown. */
const NUMBERS = 4
/** Characters of a text and of a table's name that are shown. */
const [LONGEST, LONGEST_NAME] = [64, 48]
/** Features and their influence that are shown. */
const INFLUENCES = 12

/** An explanation for a terminal. */
export function inLines({ parts, score }: Explanation): string[] {
  const blocks = [...parts.map(partLines), ...(score === undefined ? [] : [scoreLines(score, parts.length)])]
  return blocks.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]))
}

function partLines({ kind, name, inputs, outputs }: ExplainedPart): string[] {
  return [titleOf({ kind, name }), ...inputs.flatMap(inputLines), ...outputs.flatMap(outputLines)]
}

function inputLines({ name, from, given, raw, stages }: ExplainedInput): string[] {
  const label = from === name ? name : `${name} of ${from}`
  return [...wrapped([label, ...list(raw), ...(given ? [] : ['(the default)'])], '  ', '      '), ...branches(stages)]
}

/** Stages in their order; where a value goes several ways, what they share first and then way by way. */
function branches(stages: readonly Followed[]): string[] {
  const used = new Set(stages.flatMap(({ after }) => after))
  const ways = stages.flatMap((_, i) => (used.has(i) ? [] : [upTo(stages, i)]))
  if (ways.length === 0) return []
  const shared = ways[0].filter((i) => ways.every((way) => way.includes(i)))
  if (ways.length === 1) return stageLines(stages, shared, '    ')
  return [
    ...stageLines(stages, shared, '    '),
    ...ways.flatMap((way, n) => [
      `    way ${n + 1} of ${ways.length}`,
      ...stageLines(
        stages,
        way.filter((i) => !shared.includes(i)),
        '      ',
      ),
    ]),
  ]
}

/** The stage `last` after all before it, branch by branch. */
function upTo(stages: readonly Followed[], last: number, found: number[] = []): number[] {
  for (const before of stages[last].after) if (!found.includes(before)) upTo(stages, before, found)
  found.push(last)
  return found
}

function stageLines(stages: readonly Followed[], places: readonly number[], indent: string): string[] {
  const lines: string[] = []
  let arithmetic: string[] = []
  places.forEach((place, i) => {
    const [stage, next] = [stages[place], stages[places[i + 1]]]
    // Steps of arithmetic stand in one line.
    if (isNumber(stage) && next !== undefined && isNumber(next) && next.after.length === 1 && next.after[0] === place) {
      arithmetic.push(`${stage.words} →`, `${list(stage.values)},`)
    } else {
      lines.push(...wrapped([...arithmetic, ...words(stage)], indent, `${indent}  `))
      arithmetic = []
    }
  })
  return lines
}

const isNumber = (stage: Stage): stage is Extract<Stage, { readonly kind: 'values' }> =>
  stage.kind === 'values' && stage.values.length === 1 && typeof stage.values[0] === 'number'

function words(stage: Stage): string[] {
  switch (stage.kind) {
    case 'values':
      return [`${stage.words} →`, ...list(stage.values)]
    case 'lookup':
      return [
        `vocabulary ${named(stage.table)} (${stage.size}):`,
        ...separated(
          stage.entries.map(({ key, id, found }) => `${shown(key)} → ${shown(id)}${found ? '' : ' out of vocabulary'}`),
        ),
      ]
    case 'hash':
      if (stage.entries.length === 0) return ['nothing to hash']
      return separated(
        stage.entries.map(({ key, bucket }) => `${shown(key)} → hash bucket ${bucket} of ${stage.buckets}`),
      )
    case 'buckets':
      if (stage.entries.length === 0) return ['nothing to put into buckets']
      return separated(
        stage.entries.map(({ value, bucket, from, to }) => {
          const [low, high] = [from === null ? '' : `${short(from)} ≤ `, to === null ? '' : ` < ${short(to)}`]
          return `${shown(value)} → bucket ${bucket} (${low}x${high})`
        }),
      )
    case 'rows': {
      const head = `embedding ${named(stage.table)} [${stage.shape.join(', ')}]:`
      if (stage.rows.length === 1) return [head, `row ${stage.rows[0].id},`, ...vectorWords(stage.rows[0])]
      if (stage.rows.length === 0) return [head, 'no row']
      return [head, ...separated(repeated(stage.rows.map(({ id, norm }) => `row ${id} norm ${short(norm, 4)}`)), ROWS)]
    }
    case 'vector':
      return [`${stage.words} →`, ...vectorWords(stage)]
  }
}

/** The end of a long name says more than its scopes. */
const named = (name: string): string => (name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name)

const vectorWords = ({ size, norm, first }: Vector): string[] => [
  `norm ${short(norm, 4)},`,
  ...first.slice(0, NUMBERS).map((value) => short(value, 4)),
  ...(size > NUMBERS ? ['…'] : []),
]

/** Elements, with what comes many times in a row or ends them told once: `0×30 1`, `6 1 0×30`. */
function list(values: readonly Scalar[]): string[] {
  if (values.length === 0) return ['nothing']
  const words: string[] = []
  for (let start = 0, end = 0; start < values.length; start = end) {
    while (end < values.length && values[end] === values[start]) end++
    // What is no number and no text is like nothing else.
    end = Math.max(end, start + 1)
    const [count, word] = [end - start, shown(values[start])]
    if (count >= (end === values.length ? 3 : MANY_ALIKE)) words.push(`${word}×${count}`)
    else for (let i = 0; i < count; i++) words.push(word)
  }
  return words.length > ELEMENTS ? [...words.slice(0, ELEMENTS), `… of ${counted(values.length, 'element')}`] : words
}

/** What comes several times in a row, once: `row 0 norm 1.2 ×13`. */
function repeated(entries: readonly string[]): string[] {
  const runs: { readonly entry: string; count: number }[] = []
  for (const entry of entries) {
    const last = runs[runs.length - 1]
    if (last?.entry === entry) last.count++
    else runs.push({ entry, count: 1 })
  }
  return runs.map(({ entry, count }) => (count === 1 ? entry : `${entry} ×${count}`))
}

function separated(entries: readonly string[], most = ELEMENTS): string[] {
  if (entries.length === 0) return ['nothing']
  const kept = entries.slice(0, most)
  const rest = entries.length - kept.length
  return [
    ...kept.slice(0, -1).map((entry) => `${entry},`),
    kept[kept.length - 1],
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ]
}

function shown(value: Scalar): string {
  if (typeof value === 'object' || typeof value === 'string') {
    const text = JSON.stringify(value)
    return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  }
  return typeof value === 'number' ? short(value) : String(value)
}

const short = (value: number, digits = 6): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)))

function outputLines({ name, shape, values, vector }: ExplainedOutput): string[] {
  const head = `→ ${name} [${shape.join(', ')}]:`
  return wrapped([head, ...(vector === undefined ? list(values ?? []) : vectorWords(vector))], '  ', '      ')
}

function scoreLines({ how, value, dimensions, features }: ExplainedScore, parts: number): string[] {
  const signed = (x: number) => (x < 0 ? short(x, 4) : `+${short(x, 4)}`)
  const lines = [`score ${short(value)}: ${how}`]
  if (dimensions.length > 0) {
    lines.push('  largest dimensions')
    lines.push(
      ...table(
        dimensions.map(({ dimension, query, candidate, contribution }) => [
          String(dimension),
          `query ${short(query, 4)}`,
          `candidate ${short(candidate, 4)}`,
          signed(contribution),
        ]),
        '    ',
      ),
    )
  }
  if (features.length === 0) return lines
  lines.push('  without a feature the score is')
  lines.push(
    ...table(
      features
        .slice(0, INFLUENCES)
        .map(({ part, feature, without, change }) => [
          parts > 1 ? `${part}, ${feature}` : feature,
          short(without),
          `it adds ${signed(change)}`,
        ]),
      '    ',
    ),
  )
  return lines
}
