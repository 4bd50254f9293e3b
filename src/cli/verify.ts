import { load } from '../load.ts'
import type { Json } from '../serve/json.ts'
import { isFloat, type Tensor } from '../tensor/index.ts'
import { EXIT, UsageError } from './exit.ts'
import { elementsOf, type RecordedCase, readRecorded, stringKey } from './recorded.ts'
import { endOnClosedPipe, tagsOf } from './stdio.ts'
import { table } from './words.ts'

export interface VerifyOptions {
  readonly json?: boolean
  readonly tolerance: string
  readonly backend?: string
  readonly tags?: string
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
  /** The least cosine between rows of a float matrix. */
  cosine: number | null
  /** The least share of the ten best columns or elements that agree. */
  top10: number | null
  worst: { readonly at: string; readonly index: number; readonly expected: Json; readonly got: Json } | null
}

/** Runs recorded cases and reports how far the model's answers are from the recorded ones. */
export async function verify(path: string, files: readonly string[], options: VerifyOptions): Promise<void> {
  const tolerance = Number(options.tolerance)
  if (!(tolerance >= 0)) throw new UsageError(`--tolerance wants a number, got ${JSON.stringify(options.tolerance)}`)
  if (options.backend !== undefined && options.backend !== 'tfjs')
    throw new UsageError(`--backend must be tfjs, got ${JSON.stringify(options.backend)}`)
  const model = await load(path, tagsOf(options))
  const other = options.backend === undefined ? null : await load(path, { ...tagsOf(options), backend: 'tfjs' })
  const cases = (await Promise.all(files.map((file) => readRecorded(file, model)))).flat()
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
    else compareCase(recorded, expected, answer, comparisons, tolerance, problems)
  }
  const report = [...comparisons.values()]
  endOnClosedPipe()
  const failed = problems.length + report.reduce((sum, item) => sum + item.wrong, 0)
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ cases: cases.length, refusals, problems, outputs: report.map(finished) }, null, 2)}\n`
      : `${inText(cases.length, refusals, problems, report, tolerance, other !== null).join('\n')}\n`,
  )
  if (failed > 0) process.exitCode = EXIT.failed
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
  tolerance: number,
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
        cosine: null,
        top10: null,
        worst: null,
      }
      comparisons.set(key, item)
    }
    item.cases++
    item.values += values.length
    if (isFloat(got.dtype)) compareFloats(item, at, wanted.map(Number), values as number[], got.shape, tolerance)
    else compareExactly(item, at, wanted, values, got.dtype === 'string')
  }
}

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
  tolerance: number,
): void {
  for (let index = 0; index < wanted.length; index++) {
    const [a, b] = [wanted[index], got[index]]
    if (Object.is(a, b) || a === b) continue
    const absolute = Math.abs(a - b)
    const relative = absolute / Math.max(Math.abs(a), Number.MIN_VALUE)
    // As the goldens are judged: within 1e-5 relative or 1e-6 absolute where the tolerance is 1e-5.
    const off = !(relative <= tolerance || absolute <= tolerance / 10)
    if (off) item.wrong++
    if (!(absolute <= item.maxAbsolute)) {
      item.maxAbsolute = absolute
      item.worst = { at, index, expected: a, got: b }
    }
    if (absolute > tolerance / 10 || Number.isNaN(absolute)) item.maxRelative = Math.max(item.maxRelative, relative)
    if (Number.isFinite(absolute)) item.sumAbsolute += absolute
  }
  const width = shape[shape.length - 1] ?? 1
  if (shape.length !== 2 || width < 2) return
  for (let start = 0; start < wanted.length; start += width) {
    const [a, b] = [wanted.slice(start, start + width), got.slice(start, start + width)]
    const similarity = cosine(a, b)
    if (!Number.isNaN(similarity)) item.cosine = Math.min(item.cosine ?? 1, similarity)
    item.top10 = Math.min(item.top10 ?? 1, overlap(a, b, Math.min(10, width)))
  }
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

const finished = ({ sumAbsolute, ...item }: Comparison) => ({
  ...item,
  meanAbsolute: item.values === 0 ? 0 : sumAbsolute / item.values,
})

function inText(
  cases: number,
  refusals: number,
  problems: readonly string[],
  report: readonly Comparison[],
  tolerance: number,
  tfjs: boolean,
): string[] {
  const lines = [
    `${cases} cases against ${tfjs ? 'tfjs-wasm' : 'the recording'}, ${refusals} refused by both, tolerance ${tolerance}`,
  ]
  const short = (value: number) => (value === 0 ? '0' : value.toExponential(1))
  const rows = report.map((item) => [
    `${item.signature}/${item.output}`,
    `${item.values}`,
    `${item.wrong}`,
    short(item.maxAbsolute),
    short(finished(item).meanAbsolute),
    item.cosine === null ? '' : item.cosine.toFixed(6),
    item.top10 === null ? '' : `${Math.round(item.top10 * 100)} %`,
  ])
  if (rows.length > 0)
    lines.push(
      ...table([['output', 'values', 'wrong', 'max error', 'mean error', 'min cosine', 'same top 10'], ...rows]),
    )
  for (const { worst, wrong, signature, output } of report) {
    if (wrong > 0 && worst !== null)
      lines.push(
        `${signature}/${output}: worst at ${worst.at}, value ${worst.index}: expected ${JSON.stringify(worst.expected)}, got ${JSON.stringify(worst.got)}`,
      )
  }
  lines.push(...problems)
  lines.push(problems.length === 0 && report.every((item) => item.wrong === 0) ? 'equal' : 'NOT equal')
  return lines
}
