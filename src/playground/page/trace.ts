import type { Followed } from '../../explain/follow.ts'
import type { ExplainedInput } from '../../explain/part.ts'
import type { Scalar, Stage } from '../../explain/stage.ts'
import { element } from './element.ts'
import { countText, numberText } from './words.ts'

/** Pieces of a stage that are shown. */
const SHOWN = 24

/**
 * What becomes of a feature, as it is shown below its field: the tokens with their ids where there are such, else the
 * numbers that layers get; and all stages, folded.
 */
export function traceOf(inputs: readonly ExplainedInput[]): HTMLElement {
  const stages = inputs.flatMap((input) => input.stages)
  const root = element('div', { class: 'trace' })
  const main = mainStage(stages)
  if (main !== null) root.append(pieces(main))
  if (stages.length > 0)
    root.append(
      element(
        'details',
        {},
        element('summary', {}, `${stages.length} step${stages.length === 1 ? '' : 's'}`),
        element('ol', { class: 'steps' }, ...stages.map((stage) => element('li', {}, words(stage)))),
      ),
    )
  return root
}

/** The stage that says the most: where a vocabulary or a hash took the words, or the last numbers. */
function mainStage(stages: readonly Followed[]): Stage | null {
  return (
    stages.find(({ kind }) => kind === 'lookup' || kind === 'hash') ??
    stages.find(({ kind }) => kind === 'buckets') ??
    stages.findLast(({ kind }) => kind === 'values') ??
    null
  )
}

function pieces(stage: Stage): HTMLElement {
  switch (stage.kind) {
    case 'lookup': {
      const lost = stage.entries.filter(({ found }) => !found).length
      const list = tokens(
        stage.entries.map(({ key, id, found }) => token(shown(key), found ? shown(id) : 'out of vocabulary', !found)),
        stage.entries.length,
      )
      if (stage.entries.length > 1 && lost > 0)
        list.append(element('li', { class: 'aside' }, `${lost} of ${stage.entries.length} out of vocabulary`))
      return list
    }
    case 'hash':
      return tokens(
        stage.entries.map(({ key, bucket }) => token(shown(key), `bucket ${bucket}`, false)),
        stage.entries.length,
      )
    case 'buckets':
      return tokens(
        stage.entries.map(({ value, bucket }) => token(shown(value), `bucket ${bucket}`, false)),
        stage.entries.length,
      )
    case 'values':
      return element('p', { class: 'becomes' }, `becomes ${list(stage.values)}`)
    default:
      return element('p', { class: 'becomes' }, words(stage))
  }
}

function tokens(all: readonly HTMLElement[], count: number): HTMLUListElement {
  const rest = count - SHOWN
  return element(
    'ul',
    { class: 'tokens', 'aria-label': 'Tokens and ids' },
    ...all.slice(0, SHOWN),
    rest > 0 && element('li', { class: 'aside' }, `and ${rest} more`),
    count === 0 && element('li', { class: 'aside' }, 'no token'),
  )
}

const token = (key: string, id: string, lost: boolean): HTMLElement =>
  element(
    'li',
    { class: lost ? 'token lost' : 'token' },
    element('span', { class: 'word' }, key === '' ? '(empty)' : key),
    element('span', { class: 'id' }, id),
  )

/** A stage in a line. */
function words(stage: Stage): string {
  switch (stage.kind) {
    case 'values':
      return `${stage.words} → ${list(stage.values)}`
    case 'lookup':
      return `looked up in a vocabulary of ${countText(stage.size)}: ${some(stage.entries, ({ key, id, found }) => `${shown(key)} → ${shown(id)}${found ? '' : ' (out of vocabulary)'}`)}`
    case 'hash':
      return `hashed into ${countText(stage.buckets)} buckets: ${some(stage.entries, ({ key, bucket }) => `${shown(key)} → ${bucket}`)}`
    case 'buckets':
      return `put into buckets: ${some(stage.entries, ({ value, bucket, from, to }) => `${shown(value)} → ${bucket} (${from === null ? '' : `${numberText(from)} ≤ `}x${to === null ? '' : ` < ${numberText(to)}`})`)}`
    case 'rows':
      return `${stage.rows.length === 1 ? `row ${stage.rows[0].id}` : `${stage.rows.length} rows`} of an embedding of ${stage.shape.map(countText).join(' × ')}`
    case 'vector':
      return `${stage.words} → ${stage.size} numbers, norm ${numberText(stage.norm)}`
  }
}

function some<T>(entries: readonly T[], text: (entry: T) => string): string {
  const kept = entries.slice(0, SHOWN).map(text).join(', ')
  return entries.length > SHOWN ? `${kept} and ${entries.length - SHOWN} more` : kept || 'nothing'
}

/** Elements, with what ends them told once: `6, 1, 0 × 30`. */
function list(values: readonly Scalar[]): string {
  let end = values.length
  while (end > 1 && values[end - 2] === values[values.length - 1]) end--
  const same = values.length - end + 1
  const folded =
    same > 2 ? [...values.slice(0, end - 1).map(shown), `${shown(values[end - 1])} × ${same}`] : values.map(shown)
  return some(folded, (text) => text)
}

const shown = (value: Scalar): string =>
  typeof value === 'number' ? numberText(value) : typeof value === 'object' ? `bytes ${value.b64}` : String(value)
