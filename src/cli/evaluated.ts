import type { Estimate } from '../evaluate/bootstrap.ts'
import type { AtK, Evaluated, SystemReport } from '../evaluate/evaluate.ts'
import type { Noticed } from '../evaluate/interactions.ts'
import type { MeasureName } from '../evaluate/measures.ts'
import { table, wrapped } from './words.ts'

/** What was measured, as `evaluate --json` prints it; docs/evaluate.md documents the members. */
export interface Report extends Evaluated {
  readonly model: string
  /** Different items of the catalogue, and lines of it that name one of them again. */
  readonly items: number
  readonly duplicates: number
  readonly interactions: Noticed
  /** Whose interactions say how popular an item is: those of `--exclude-seen`, or the held-out ones. */
  readonly popularity: 'seen' | 'interactions'
}

const MEASURE_TITLES: Readonly<Record<MeasureName, string>> = {
  recall: 'recall',
  ndcg: 'NDCG',
  mrr: 'MRR',
  hitRate: 'hit rate',
  map: 'MAP',
  precision: 'precision',
}
const MEASURES = Object.entries(MEASURE_TITLES) as readonly (readonly [MeasureName, string])[]

/** A report for people. */
export function inLines(report: Report): string[] {
  const { model, items, queries, relevant, systems } = report
  return [
    `${model}: ${amount(queries, 'query', 'queries')}, ${amount(relevant, 'relevant item')}, ${amount(items, 'item')} in the catalogue`,
    ...noticed(report).flatMap((text) => wrapped(text.split(' '), '  ', '    ')),
    ...systems[0].at.flatMap((_, i) => ['', ...table(measured(systems, i))]),
    ...systems.slice(1).flatMap((system) => differing(system, systems[0].system)),
    '',
    ...table(exposed(report)),
    `popularity is the mean number of ${report.popularity === 'seen' ? 'interactions seen before' : 'held-out interactions'} of what is recommended`,
  ]
}

/** What the reader must know of the input to read the numbers rightly. */
function noticed({ interactions, unknown, seen, relevant, failed, items, duplicates, systems }: Report): string[] {
  const { bad, repeated, ungraded, again, empty } = interactions
  const share = (count: number) => `${count.toLocaleString('en')} (${((100 * count) / relevant).toFixed(1)} %)`
  const tooLong = systems[0].at.filter(({ k }) => k > items).map(({ k }) => k)
  const told: readonly (readonly [number, string])[] = [
    [bad, `${amount(bad, 'bad row')} left out`],
    [failed, `${amount(failed, 'query', 'queries')} that could not be answered left out`],
    [unknown, `relevant items that are not in the catalogue: ${share(unknown)}; they count as misses`],
    [seen, `relevant items that are excluded as seen: ${share(seen)}; they count as misses`],
    [repeated, `${amount(repeated, 'item')} named again for the same query; the highest grade holds`],
    [ungraded, `${amount(ungraded, 'item')} of grade 0 or less: not relevant`],
    [empty, `${amount(empty, 'query', 'queries')} with nothing relevant left out`],
    [again, `${amount(again, 'query', 'queries')} of somebody who has another: sort the rows to make one of them`],
    [duplicates, `${amount(duplicates, 'item')} of the catalogue there again: one with the first of the id`],
    [tooLong.length, `lists of ${tooLong.join(', ')} are longer than the catalogue: they hold all of it`],
  ]
  return told.flatMap(([count, text]) => (count > 0 ? [text] : []))
}

/** Measures at one k, a column a system. */
const measured = (systems: readonly SystemReport[], i: number): string[][] => [
  [`k = ${systems[0].at[i].k}`, ...systems.map(({ system }) => system)],
  ...MEASURES.map(([name, title]) => [title, ...systems.map(({ at }) => estimateText(at[i].measures[name]))]),
  ...(systems.length === 1
    ? []
    : [['agreement', ...systems.map(({ at }) => (at[i].agreement === null ? '' : share(at[i].agreement.mean)))]]),
]

/** What a system has more than the first, a column a k, where that is more than chance. */
function differing({ system, at }: SystemReport, first: string): string[] {
  const rows = MEASURES.map(([name, title]) => [
    title,
    ...at.map(({ more }) => {
      const found = more?.[name]
      return found !== undefined && (found.low > 0 || found.high < 0) ? signed(found.mean) : ''
    }),
  ]).filter(([, ...cells]) => cells.some((cell) => cell !== ''))
  if (rows.length === 0) return ['', `${system} differs from ${first} by no more than chance`]
  return [
    '',
    `${system} less ${first}, where that is more than chance`,
    ...table([['', ...at.map(({ k }) => `k = ${k}`)], ...rows]),
  ]
}

function exposed({ systems, held }: Report): string[][] {
  const cells = ({ coverage, gini, popularity, longTail }: AtK | Report['held']) => [
    share(coverage),
    gini.toFixed(3),
    String(Number(popularity.toPrecision(3))),
    share(longTail),
  ]
  return [
    ['what is recommended', 'k', 'coverage', 'Gini', 'popularity', 'long tail'],
    ...systems.flatMap(({ system, at }) => at.map((one, i) => [i === 0 ? system : '', String(one.k), ...cells(one)])),
    ['the relevant items', '', ...cells(held)],
  ]
}

const share = (value: number): string => `${(100 * value).toFixed(1)} %`.padStart(7)

const estimateText = ({ mean, low, high }: Estimate): string =>
  `${mean.toFixed(4)} (${low.toFixed(3)}–${high.toFixed(3)})`

const signed = (value: number): string => `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(4)}`

const amount = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`
