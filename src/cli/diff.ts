import { type Difference, diff as differenceOf } from '../diff/diff.ts'
import { Answers, type OutputChange } from '../diff/outputs.ts'
import { type Json, parseJson } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { load } from '../load.ts'
import { folderAt } from '../platform/open.ts'
import { EXIT } from './exit.ts'
import { readLines, tagsOf } from './stdio.ts'
import { counted, table } from './words.ts'

export interface DiffOptions {
  readonly input?: string
  readonly json?: boolean
  readonly tags?: string
}

/** How many changes of a kind are shown to people; JSON has all. */
const SHOWN = 20

interface Report extends Difference {
  readonly same: boolean
  /** The answers to the lines of --input, where it is given. */
  readonly outputs?: readonly OutputChange[]
  readonly problems?: readonly string[]
  /** Problems that are not told. */
  readonly untold?: number
  /** Lines that both refuse for the same reason, and that of the first. */
  readonly refusals?: number
  readonly refusal?: string | null
}

/** Shows what differs between two models. The exit status is 1 where anything does. */
export async function diff(a: string, b: string, options: DiffOptions): Promise<void> {
  const found = await differenceOf(await folderAt(a), await folderAt(b), tagsOf(options).tags)
  const answers = options.input === undefined ? {} : await answersOf(a, b, options.input, options)
  const same =
    [found.signatures, found.towers, found.vocabularies, found.weights, answers.problems ?? []].every(
      (changes) => changes.length === 0,
    ) && (answers.outputs ?? []).every(({ different }) => different === 0)
  const report: Report = { same, ...found, ...answers }
  process.stdout.write(
    options.json ? `${jsonText(report as unknown as Json)}\n` : `${inText(a, b, report).join('\n')}\n`,
  )
  if (!same) process.exitCode = EXIT.failed
}

async function answersOf(
  a: string,
  b: string,
  file: string,
  options: DiffOptions,
): Promise<Pick<Report, 'outputs' | 'problems' | 'untold' | 'refusals' | 'refusal'>> {
  const answers = new Answers(await load(a, tagsOf(options)), await load(b, tagsOf(options)))
  for await (const { text, at } of readLines([file])) {
    try {
      answers.ask(parseJson(text()), at)
    } catch (error) {
      answers.problem(`${at}: ${(error as Error).message}`)
    }
  }
  const { problems, untold, refusals, refusal } = answers
  const outputs = answers.changes()
  if (outputs.length === 0 && problems.length === 0)
    problems.push(
      refusals === 0 ? `${file} has no line to compare answers to` : 'no answer was compared: both refuse every line',
    )
  return { outputs, problems, untold, refusals, refusal }
}

const short = (value: number | null): string => (value === null ? '' : value === 0 ? '0' : value.toExponential(1))
const digits = (value: number | null): string => (value === null ? '' : value.toFixed(6))

function inText(a: string, b: string, report: Report): string[] {
  const { signatures, towers, vocabularies, weights, compared, outputs, problems } = report
  const lines = [`A ${a}`, `B ${b}`]
  for (const [title, changes, both] of [
    ['signatures', signatures, (a: string, b: string) => `${a} → ${b}`],
    // A tower is itself told as inputs → output.
    ['towers', towers, (a: string, b: string) => `${a} in A, ${b} in B`],
  ] as const) {
    lines.push('', changes.length === 0 ? `${title}: the same` : `${title}: ${changes.length} differ`)
    for (const { what, a, b } of changes)
      lines.push(`  ${what}: ${a === null ? 'only in B' : b === null ? 'only in A' : both(a, b)}`)
  }
  lines.push('', heading('vocabularies', vocabularies.length, compared.vocabularies))
  for (const { name, a, b, added, removed, moved } of vocabularies) {
    lines.push(`  ${name}: ${a === null ? 'only in B' : b === null ? 'only in A' : `${a} → ${b} entries`}`)
    for (const [what, { count, first }] of Object.entries({ added, removed, moved }))
      if (count > 0) lines.push(`    ${count} ${what}: ${first.join(', ')}${count > first.length ? ', …' : ''}`)
  }
  lines.push('', heading('weights', weights.length, compared.weights))
  if (weights.length > 0) {
    const rows = weights.slice(0, SHOWN).map(({ name, a, b, max, mean, cosine }) => {
      const shape =
        a === b ? (a ?? '') : a === null ? `only in B: ${b}` : b === null ? `only in A: ${a}` : `${a} → ${b}`
      return [name, shape, short(max), short(mean), digits(cosine)]
    })
    lines.push(...table([['name', 'shape', 'max', 'mean', 'cosine'], ...rows], '  '))
    if (weights.length > SHOWN) lines.push(`  and ${weights.length - SHOWN} more`)
  }
  if (outputs !== undefined && problems !== undefined) lines.push(...outputsText(outputs, problems, report.untold ?? 0))
  if (report.refusals)
    lines.push(
      `  ${counted(report.refusals, 'line')} refused by both${report.refusals > 1 ? ', the first' : ''} at ${report.refusal}`,
    )
  return [...lines, '', report.same ? 'the same' : 'DIFFERENT']
}

const heading = (title: string, changed: number, [a, b]: readonly [number, number]): string =>
  `${title}: ${changed === 0 ? 'the same' : `${changed} differ`} (${a === b ? a : `${a} in A, ${b} in B`})`

function outputsText(outputs: readonly OutputChange[], problems: readonly string[], untold: number): string[] {
  const rows = outputs.map(({ output, values, different, max, mean, rank }) => [
    output,
    `${values}`,
    `${different}`,
    short(max),
    short(mean),
    digits(rank),
  ])
  const head = ['output', 'values', 'different', 'max', 'mean', 'rank agreement']
  const rest = Math.max(0, problems.length - SHOWN) + untold
  const more = rest > 0 ? [`  and ${rest} more`] : []
  return [
    '',
    'outputs',
    ...table([head, ...rows], '  '),
    ...problems.slice(0, SHOWN).map((line) => `  ${line}`),
    ...more,
  ]
}
