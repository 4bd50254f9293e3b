import type { Entry, PartReport } from '../bench/bench.ts'
import { OURS, TFJS } from '../bench/engines.ts'
import type { Profile, Share } from '../bench/profile.ts'
import { counted, table, wrapped } from './words.ts'

/** What was measured and where, as `bench --json` prints it; docs/cli.md documents the members. */
export interface Report {
  readonly model: string
  readonly runtime: string
  readonly kernels: 'baseline' | 'relaxed'
  readonly deterministic: boolean
  /** The engines beside ours by name, with their versions. */
  readonly beside: Readonly<Record<string, string>>
  /** Those that are not there, and what to install. */
  readonly without: readonly { readonly engine: string; readonly why: string }[]
  readonly parts: readonly PartReport[]
}

/** What is measured, and beside what. */
export function inTitle({ model, runtime, kernels, deterministic, beside, without }: Omit<Report, 'parts'>): string[] {
  const names = Object.entries(beside).map(([name, version]) => `${name} ${version}`)
  return [
    `${model} on ${runtime}, ${kernels} SIMD, one thread${deterministic ? ', deterministic' : ''}`,
    ...(names.length === 0 ? [] : [`  beside ${names.join(', ')}`]),
    ...without.map(
      ({ engine, why }) => `  without ${engine}: ${why.startsWith('npm') ? `not installed; ${why}` : why}`,
    ),
  ]
}

/** A part for people. */
export function inLines({ part, rows, layers, batches, absent, profiles }: PartReport): string[] {
  const prose = (label: string, text: string) => wrapped(text.split(' '), `  ${label.padEnd(9)}`, ' '.repeat(11))
  const tfjs = batches.some(({ entries }) => entries.some(({ engine }) => engine === TFJS))
  const from = rows.made ? 'made from the signature' : 'given'
  return [
    '',
    `${part}, ${counted(rows.count, 'row')} ${from}`,
    ...prose(
      'request',
      `raw features in, the answer out${tfjs ? '; of tfjs-wasm the floats, what it lacks is ours' : ''}`,
    ),
    ...(typeof layers === 'string'
      ? prose('layers', `not measured alone, and not on ONNX Runtime: ${layers}`)
      : prose(
          'layers',
          `${counted(layers.count, 'dense layer')} and what lies between, without preprocessing; ${layers.inputs.map((shape) => `[${shape.join(', ')}]`).join(', ')} numbers a row in`,
        )),
    ...absent.map(({ engine, measured, why }) => `  without the ${measured} of ${engine}: ${why}`),
    '',
    ...table([
      ['rows', 'engine', 'µs a call', 'quartiles', 'rows/s', 'time'],
      ...batches.flatMap(({ rows, entries }) => entries.map((entry, i) => row(rows, entry, entries, i))),
    ]),
    ...differences(batches),
    ...profiles.flatMap(profileText),
  ]
}

function row(rows: number, { engine, measured, ...timing }: Entry, all: readonly Entry[], i: number): string[] {
  const { median, low, high, rowsPerSecond } = timing
  const ours = all.find((other) => other.engine === OURS && other.measured === measured)
  return [
    all[i - 1]?.measured === measured ? '' : `${String(rows).padStart(4)} ${measured}`,
    engine,
    digits(median).padStart(9),
    `${digits(low)} – ${digits(high)}`,
    digits(rowsPerSecond).padStart(10),
    ours === undefined ? '' : `× ${digits(median / ours.median)}`,
  ]
}

/** How far the answers were from ours: the largest difference, and each that is more than rounding. */
function differences(batches: PartReport['batches']): string[] {
  const all = batches.flatMap(({ rows, entries }) => entries.map((entry) => ({ ...entry, rows })))
  const wrong = all.filter(({ agrees }) => !agrees)
  const others = all.filter(({ engine }) => engine !== OURS)
  const most = Math.max(0, ...others.map(({ difference }) => difference))
  return [
    ...(others.length === 0 || wrong.length > 0
      ? []
      : [`all answers agree: ${most === 0 ? 'they are the same' : `they differ by ${most.toExponential(0)} at most`}`]),
    ...wrong.map(
      ({ engine, measured, rows, difference }) =>
        `DIFFERENT: the ${measured} of ${rows} by ${engine} is off by ${difference.toExponential(1)}`,
    ),
  ]
}

/** How many ops are shown; the rest is summed up. */
const SHOWN = 12

function profileText({ rows, microseconds, outside, ops, features }: Profile): string[] {
  const rest = ops.slice(SHOWN)
  const sum = (pick: (share: Share) => number) => rest.reduce((total, share) => total + pick(share), 0)
  const others = {
    name: counted(rest.length, 'other op'),
    calls: sum((share) => share.calls),
    microseconds: sum((share) => share.microseconds),
    share: sum((share) => share.share),
    stage: null,
  }
  return [
    '',
    `where the time of ${counted(rows, 'row')} goes: ${digits(microseconds)} µs while watched`,
    ...table(
      [
        ['op', 'part of', 'times', 'µs', 'share'],
        ...[...ops.slice(0, SHOWN), ...(rest.length === 0 ? [] : [others])].map(({ name, stage, ...share }) => [
          name,
          stage ?? '',
          ...cells(share),
        ]),
        ['taking in, giving out', '', ...cells(outside)],
      ],
      '  ',
    ),
    ...table(
      [
        ['of the feature', 'times', 'µs', 'share'],
        ...features.map(({ name, ...share }) => [name ?? 'several together', ...cells(share)]),
      ],
      '  ',
    ),
  ]
}

const cells = ({ calls, microseconds, share }: Omit<Share, 'name'>): string[] => [
  calls === 0 ? '' : digits(calls),
  digits(microseconds),
  `${(100 * share).toFixed(1)} %`.padStart(6),
]

/** Three digits, and all of a large whole number. */
const digits = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
