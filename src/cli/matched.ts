import { inWords } from '../graph/index.ts'
import type { Json } from '../json/parse.ts'
import { float32Text, jsonText } from '../json/text.ts'
import type { Decision, Match } from '../match/match.ts'
import { counted, table, wrapped } from './words.ts'

/** Differences that are shown to people, and other ways of one decision; JSON has all. */
const [SHOWN, OTHERS] = [20, 4]

/** What was found, for people. */
export function inLines(found: Match, written: string | null): string[] {
  const { subject, recordings, refusals, tries, reproduced, differences, tolerance, exhausted } = found
  const left = refusals === 0 ? '' : `, ${counted(refusals, 'recorded refusal')} left out`
  const error = found.largest === null ? '' : `, largest error ${short(found.largest)}, mean ${short(found.mean ?? 0)}`
  const lines = [
    `${counted(recordings, 'recording')} of ${subject}${left}, ${tries} tries`,
    reproduced
      ? `REPRODUCED: ${recordings === 1 ? 'it is' : 'all are'} within ${tolerance}${error}`
      : `NOT reproduced: ${differences.length} of ${recordings} differ under the closest${error}`,
  ]
  if (exhausted) lines.push('the tries ended before the ways did: --limit allows more')
  lines.push(...similarityText(found), ...pipelines(found))
  if (!reproduced) lines.push('', 'differences', ...differencesText(found))
  lines.push(...openText(found))
  if (written !== null)
    lines.push(
      '',
      reproduced
        ? `written to ${written}: convert the export with --preprocess ${written}`
        : `written to ${written}, which does not reproduce the recordings`,
    )
  return lines
}

const short = (value: number): string => (value === 0 ? '0' : value.toExponential(1))

function similarityText({ similarities, reproduced }: Match): string[] {
  if (similarities.length === 0) return []
  const text = similarities.map((similarity) => `${inWords(similarity)}${similarity.fitted > 0 ? ' (fitted)' : ''}`)
  const [first] = similarities
  const options = [
    `--similarity ${first.metric}`,
    ...(first.scale === 1 ? [] : [`--scale ${first.scale}`]),
    ...(first.bias === 0 ? [] : [`--bias ${first.bias}`]),
    ...(first.sigmoid ? ['--sigmoid'] : []),
  ]
  return [`similarity: ${text.join(', or likewise ')}`, ...(reproduced ? [`  ${options.join(' ')}`] : [])]
}

function pipelines({ decisions, preprocess }: Match): string[] {
  const byInputs = new Map<string, Decision[]>()
  for (const decision of decisions) {
    const inputs = decision.inputs.join(', ')
    byInputs.set(inputs, [...(byInputs.get(inputs) ?? []), decision])
  }
  if (Object.keys(preprocess.inputs).length === 0) return ['no preprocessing: raw features are taken as they are']
  return [...byInputs].flatMap(([inputs, all]) => [
    '',
    inputs,
    ...table(
      all.map(({ what, way }) => [what, way]),
      '  ',
    ),
  ])
}

function differencesText({ differences }: Match): string[] {
  const lines = differences
    .slice(0, SHOWN)
    .flatMap(({ at, refusal, output, index, expected, got, largest }) => [
      `  ${at}`,
      ...(refusal === undefined
        ? [
            `    ${output} value ${index}: expected ${valueText(expected ?? null)}, got ${valueText(got ?? null)}; largest error ${short(largest ?? 0)}`,
          ]
        : wrapped(refusal.split(' '), '    ')),
    ])
  return differences.length > SHOWN ? [...lines, `  and ${differences.length - SHOWN} more`] : lines
}

const valueText = (value: Json): string =>
  typeof value === 'number' ? float32Text(Math.fround(value)) : jsonText(value)

function openText({ decisions, deciding }: Match): string[] {
  const open = decisions.filter(({ others }) => others.length > 0)
  if (open.length === 0) return []
  return [
    '',
    'left open: these reproduce the recordings too',
    ...open.flatMap(({ inputs, what, way, others }) => {
      const more = others.length > OTHERS ? ` and ${others.length - OTHERS} more` : ''
      const text = `${inputs.join(', ')}, ${what}: not "${way}" but "${others.slice(0, OTHERS).join('", "')}"${more}`
      return wrapped(text.split(' '), '  ', '    ')
    }),
    ...(deciding === null
      ? []
      : [
          `an answer to this instance would tell it from ${deciding.apart} of them:`,
          `  ${jsonText(deciding.instance)}`,
        ]),
  ]
}
