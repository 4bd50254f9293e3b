import type { Json } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { load } from '../load.ts'
import { isComplex, isFloat, partOf, type Tensor } from '../tensor/index.ts'
import { EXIT, UsageError } from './exit.ts'
import { type LoadingOptions, loadOptions } from './loading.ts'
import { elementsOf, type RecordedCase, readRecorded, stringKey } from './recorded.ts'
import { table } from './words.ts'

export interface VerifyOptions extends LoadingOptions {
  readonly json?: boolean
  readonly tolerance?: string
  readonly cosine?: string
  readonly backend?: string
}

/** How one output of one signature compares with its recording. */
interface Comparison {
  readonly signature: string
  readonly output: string
  cases: number
  values: number
  /** Values further off than the tolerance, or strings and integers that differ. */
  wrong: number
  maxAbsolute: number
  maxRelative: number
  sumAbsolute: number
  /** The least cosine between rows of a float matrix; the sum of all, and how many. */
  minCosine: number | null
  sumCosine: number
  rows: number
  /** The least share of the ten best columns or elements that agree. */
  top10: number | null
  /** How bad the worst value is: multiples of the tolerance, or where there is none the absolute error. */
  badness: number
  worst: { readonly at: string; readonly index: number; readonly expected: Json; readonly got: Json } | null
}

/** What counts as equal: floats within a tolerance, or rows of floats that point the same way. */
type Measure = { readonly tolerance: number } | { readonly cosine: number }

/** How near an int8 model's embeddings must be. */
const INT8_COSINE = 0.999

/** Runs recorded cases and reports how far the model's answers are from the recorded ones. */
export async function verify(path: string, files: readonly string[], options: VerifyOptions): Promise<void> {
  if (options.backend !== undefined && options.backend !== 'tfjs')
    throw new UsageError(`--backend must be tfjs, got ${JSON.stringify(options.backend)}`)
  const model = await load(path, loadOptions(options))
  const measure = measureOf(options, model.dtype)
  const other = options.backend === undefined ? null : await load(path, { ...loadOptions(options), backend: 'tfjs' })
  const cases = (await Promise.all(files.map((file) => readRecorded(file, model)))).flat()
  if (cases.length === 0) throw new Error(`nothing to compare: there is no recorded case in ${files.join(', ')}`)
  const comparisons = new Map<string, Comparison>()
  const problems: string[] = []
  let refusals = 0
  for (const recorded of cases) {
    const answer = attempt(() => model.evaluate(recorded.signature, recorded.inputs))
    // Against tfjs the model's own inputs count, and what tfjs makes of them is what is expected.
    const expected =
      other === null ? recorded.outputs : valuesOf(attempt(() => other.evaluate(recorded.signature, recorded.inputs)))
    if (expected === null) {
      if (answer instanceof Error) refusals++
      else problems.push(`${recorded.at}: refused in the recording, answered here`)
    } else if (answer instanceof Error) problems.push(`${recorded.at}: ${answer.message}`)
    else compareCase(recorded, expected, answer, comparisons, measure, problems)
  }
  const report = [...comparisons.values()]
  const failed = problems.length + report.reduce((sum, item) => sum + item.wrong, 0)
  process.stdout.write(
    options.json
      ? `${jsonText({ cases: cases.length, refusals, dtype: model.dtype, ...measure, problems, outputs: report.map(finished) })}\n`
      : `${inText(cases.length, refusals, problems, report, measure, other !== null).join('\n')}\n`,
  )
  if (failed > 0) process.exitCode = EXIT.failed
}

function measureOf({ tolerance, cosine }: VerifyOptions, dtype: 'float32' | 'int8'): Measure {
  if (tolerance !== undefined && cosine !== undefined) throw new UsageError('choose one of --tolerance and --cosine')
  if (tolerance?.trim() === '' || Number(tolerance) < 0 || Number.isNaN(Number(tolerance ?? 0)))
    throw new UsageError(`--tolerance wants a number, got ${JSON.stringify(tolerance)}`)
  if (cosine?.trim() === '' || !(Number(cosine ?? 0) <= 1))
    throw new UsageError(`--cosine wants a number up to 1, got ${JSON.stringify(cosine)}`)
  if (cosine !== undefined) return { cosine: Number(cosine) }
  return tolerance === undefined && dtype === 'int8'
    ? { cosine: INT8_COSINE }
    : { tolerance: Number(tolerance ?? '1e-5') }
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error as Error
  }
}

const valuesOf = (answer: Readonly<Record<string, Tensor>> | Error): Record<string, readonly Json[]> | null =>
  answer instanceof Error ? null : Object.fromEntries(Object.entries(answer).map(([name, t]) => [name, elementsOf(t)]))

function compareCase(
  { at, signature }: RecordedCase,
  expected: Readonly<Record<string, readonly Json[]>>,
  answer: Readonly<Record<string, Tensor>>,
  comparisons: Map<string, Comparison>,
  measure: Measure,
  problems: string[],
): void {
  for (const [output, wanted] of Object.entries(expected)) {
    const got = answer[output]
    if (got === undefined) {
      problems.push(`${at}: there is no output "${output}"`)
      continue
    }
    const values = elementsOf(got)
    if (values.length !== wanted.length) {
      problems.push(`${at}: output "${output}" has ${values.length} values, the recording ${wanted.length}`)
      continue
    }
    const key = `${signature ?? 'serving_default'} ${output}`
    let item = comparisons.get(key)
    if (item === undefined) {
      item = {
        signature: signature ?? 'serving_default',
        output,
        cases: 0,
        values: 0,
        wrong: 0,
        maxAbsolute: 0,
        maxRelative: 0,
        sumAbsolute: 0,
        minCosine: null,
        sumCosine: 0,
        rows: 0,
        top10: null,
        badness: 0,
        worst: null,
      }
      comparisons.set(key, item)
    }
    item.cases++
    item.values += values.length
    if (isFloat(partOf(got.dtype)))
      compareFloats(item, at, wanted.map(Number), values as number[], placesOf(got), measure)
    else compareExactly(item, at, wanted, values, got.dtype === 'string')
  }
}

/** The shape of the numbers that a tensor is: the parts of complex ones stand beside each other. */
const placesOf = ({ dtype, shape }: Tensor): readonly number[] =>
  isComplex(dtype) ? [...shape.slice(0, -1), 2 * (shape.at(-1) ?? 1)] : shape

function compareExactly(
  item: Comparison,
  at: string,
  wanted: readonly Json[],
  got: readonly Json[],
  strings: boolean,
): void {
  wanted.forEach((value, index) => {
    const same = strings
      ? stringKey(value) === got[index] || value === got[index]
      : String(Number(value)) === String(Number(got[index])) &&
        (typeof value !== 'string' || String(value) === String(got[index]))
    if (same) return
    item.wrong++
    item.worst ??= { at, index, expected: value, got: typeof got[index] === 'bigint' ? String(got[index]) : got[index] }
  })
}

function compareFloats(
  item: Comparison,
  at: string,
  wanted: readonly number[],
  got: readonly number[],
  shape: readonly number[],
  measure: Measure,
): void {
  const tolerance = 'tolerance' in measure ? measure.tolerance : null
  for (let index = 0; index < wanted.length; index++) {
    const [a, b] = [wanted[index], got[index]]
    if (Object.is(a, b) || a === b) continue
    // What one alone has as NaN or an infinity is as far off as can be, and stays the worst.
    const isFar = !(Number.isFinite(a) && Number.isFinite(b))
    const absolute = isFar ? Infinity : Math.abs(a - b)
    const relative = isFar ? Infinity : absolute / Math.max(Math.abs(a), Number.MIN_VALUE)
    // As the goldens are judged: within 1e-5 relative or 1e-6 absolute where the tolerance is 1e-5.
    const badness = tolerance === null ? absolute : Math.min(relative / tolerance, absolute / (tolerance / 10))
    if (tolerance !== null && !(badness <= 1)) item.wrong++
    // A large number may be off by more than a wrong small one and be right.
    if (badness > item.badness) {
      item.badness = badness
      item.worst = { at, index, expected: a, got: b }
    }
    item.maxAbsolute = Math.max(item.maxAbsolute, absolute)
    if (absolute > (tolerance ?? 0) / 10) item.maxRelative = Math.max(item.maxRelative, relative)
    if (Number.isFinite(absolute)) item.sumAbsolute += absolute
  }
  const width = shape[shape.length - 1] ?? 1
  const isMatrix = shape.length === 2 && width > 1
  // What has no rows of more than one value is one row: scores of a batch.
  const step = isMatrix ? width : wanted.length
  for (let start = 0; start < wanted.length; start += step) {
    const [a, b] = [wanted.slice(start, start + step), got.slice(start, start + step)]
    const near = closeness(a, b)
    if ('cosine' in measure && !(near >= measure.cosine)) item.wrong += step
    if (!isMatrix) continue
    if (!Number.isNaN(near)) {
      item.minCosine = Math.min(item.minCosine ?? 1, near)
      item.sumCosine += near
      item.rows++
    }
    item.top10 = Math.min(item.top10 ?? 1, overlap(a, b, Math.min(10, width)))
  }
}

/** The cosine of two rows; 1 where they are the same, not finite or zero; of single values what the cosine is to an angle. */
function closeness(a: readonly number[], b: readonly number[]): number {
  if (a.every((value, i) => Object.is(value, b[i]) || value === b[i])) return 1
  return a.length === 1 ? 1 - (b[0] / a[0] - 1) ** 2 / 2 : cosine(a, b)
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * y[i], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

/** The share of the `k` largest of `a` that are among the `k` largest of `b`. */
function overlap(a: readonly number[], b: readonly number[], k: number): number {
  const top = (values: readonly number[]) => [...values.keys()].sort((i, j) => values[j] - values[i]).slice(0, k)
  const known = new Set(top(b))
  return top(a).filter((i) => known.has(i)).length / k
}

const finished = ({ sumAbsolute, sumCosine, rows, badness: _, ...item }: Comparison) => ({
  ...item,
  meanAbsolute: item.values === 0 ? 0 : sumAbsolute / item.values,
  meanCosine: rows === 0 ? null : sumCosine / rows,
})

/** JSON, and NaN and infinities by their names. */
const shown = (value: Json): string => (typeof value === 'number' ? String(value) : jsonText(value))

function inText(
  cases: number,
  refusals: number,
  problems: readonly string[],
  report: readonly Comparison[],
  measure: Measure,
  tfjs: boolean,
): string[] {
  const judged = 'cosine' in measure ? `judged by cosine ≥ ${measure.cosine}` : `tolerance ${measure.tolerance}`
  const lines = [
    `${cases} cases against ${tfjs ? 'tfjs-wasm' : 'the recording'}, ${refusals} refused by both, ${judged}`,
  ]
  const short = (value: number) => (value === 0 ? '0' : value.toExponential(1))
  const digits = (value: number | null) => (value === null ? '' : value.toFixed(6))
  const rows = report.map((item) => [
    `${item.signature}/${item.output}`,
    `${item.values}`,
    `${item.wrong}`,
    short(item.maxAbsolute),
    short(finished(item).meanAbsolute),
    digits(item.minCosine),
    digits(finished(item).meanCosine),
    item.top10 === null ? '' : `${Math.round(item.top10 * 100)} %`,
  ])
  if (rows.length > 0)
    lines.push(
      ...table([
        ['output', 'values', 'wrong', 'max error', 'mean error', 'min cosine', 'mean cosine', 'same top 10'],
        ...rows,
      ]),
    )
  for (const { worst, wrong, signature, output } of report) {
    if (wrong > 0 && worst !== null)
      lines.push(
        `${signature}/${output}: worst at ${worst.at}, value ${worst.index}: expected ${shown(worst.expected)}, got ${shown(worst.got)}`,
      )
  }
  lines.push(...problems)
  lines.push(
    problems.length > 0 || report.some((item) => item.wrong > 0)
      ? 'NOT equal'
      : 'cosine' in measure
        ? 'near enough'
        : 'equal',
  )
  return lines
}
