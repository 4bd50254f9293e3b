import { featureHints, type Hint } from '../../bench/hints.ts'
import { madeRows } from '../../bench/rows.ts'
import { featuresOf } from '../../explain/explain.ts'
import type { Part } from '../../explain/part.ts'
import type { Port } from '../../graph/index.ts'
import type { Json } from '../../json/parse.ts'
import type { Declared, Typed } from '../../preprocess/index.ts'
import type { Members } from '../../serve/values.ts'
import type { Control, Field, Range } from '../protocol.ts'
import { declaredRange, normalisedRanges, rangesOfRows } from './ranges.ts'

/** Numbers of a vector that get a slider each. */
const MOST_SLIDERS = 16
/** Rows from which on what they hold is a better range than what a normalisation suggests. */
const MANY_ROWS = 50

/** The form of a part: a field a feature, and a row to begin with. */
export interface Form {
  readonly fields: readonly Field[]
  readonly row: Members
}

/** @param rows known rows of the part's features: the first is what the form begins with */
export function formOf(part: Part, rows: readonly Members[]): Form {
  const ports = featuresOf(part)
  const hints = featureHints(part.graph, part.inputs, ports, part.declared)
  const fields = ports.map((port, i): Field => {
    const { name, dtype, shape } = port
    const control = controlOf(part, port, hints[i], rows)
    return { name, dtype, shape, control, optional: port.fallback !== undefined }
  })
  const [made] = madeRows(ports, hints, 1)
  const row = Object.fromEntries(
    fields.flatMap(({ name, control, optional }, i): [string, Json][] => {
      const own = rows[0]
      if (own !== undefined && Object.hasOwn(own, name)) return [[name, own[name]]]
      return optional ? [] : [[name, startOf(control, isWhole(ports[i]) ? wholeOf(ports[i], made[name]) : made[name])]]
    }),
  )
  return { fields, row }
}

/** Whether a feature has a fixed size instead of rows: it is given as a whole. */
export const isWhole = ({ shape }: Port): boolean => shape !== null && shape[0] !== null

/** Such a value out of one for a row. */
const wholeOf = ({ shape }: Port, made: Json): Json =>
  shape === null || shape.length === 0 ? made : Array.from({ length: shape[0] ?? 1 }, () => made)

const WHOLE = /^u?int/
const FRACTION = /^b?float/

function controlOf(part: Part, port: Port, hint: Hint, rows: readonly Members[]): Control {
  const { dtype, shape } = port
  const dims = hint.length !== null ? [hint.length] : (shape ?? []).slice(1)
  const size = hint.table?.size ?? hint.known.length
  if (hint.example !== null || dims.length > 1 || (isWhole(port) && shape?.length !== 0)) return { kind: 'json' }
  const length = dims.length === 0 ? 1 : dims[0]
  const known = size > 0 && !hint.text
  const whole = WHOLE.test(dtype)
  if (dtype === 'bool') return length === 1 ? { kind: 'flag' } : { kind: 'json' }
  if (dtype === 'string' && !(hint.numeric && length === 1))
    return length !== 1
      ? { kind: 'list', size, numeric: false, length }
      : known
        ? { kind: 'choice', size, numeric: false }
        : { kind: 'text', tokens: hint.text }
  if (dtype === 'string') return { kind: 'number', range: rangesFor(part, port, hint, 1, rows)[0], whole: false }
  if (!whole && !FRACTION.test(dtype)) return { kind: 'json' }
  if (length === null || (known && length !== 1)) return { kind: 'list', size, numeric: true, length }
  if (known) return { kind: 'choice', size, numeric: true }
  if (length === 1) return { kind: 'number', range: rangesFor(part, port, hint, 1, rows)[0], whole }
  if (length > MOST_SLIDERS) return { kind: 'list', size: 0, numeric: true, length }
  return { kind: 'numbers', ranges: rangesFor(part, port, hint, length, rows), whole }
}

function rangesFor(part: Part, port: Port, hint: Hint, length: number, rows: readonly Members[]): Range[] {
  const values = rows.flatMap((row) => (Object.hasOwn(row, port.name) ? [row[port.name]] : []))
  const seen = rangesOfRows(values, length)
  if (seen !== null && rows.length >= MANY_ROWS) return seen
  const declaration = declarationOf(part, port.name)
  const declared = declaration === undefined ? null : declaredRange(declaration)
  if (declared !== null) return Array.from({ length }, () => declared)
  const input = part.inputs.findIndex(({ name }) => name === port.name)
  const normalised = input < 0 ? null : normalisedRanges(part.graph, input, length)
  if (normalised !== null) return normalised
  const ids: Range | null = hint.below === null ? null : { low: 0, high: hint.below - 1, from: 'ids' }
  const guess: Range = WHOLE.test(port.dtype)
    ? { low: 0, high: 100, from: 'guess' }
    : { low: -1, high: 1, from: 'guess' }
  const usual = ids ?? guess
  // What rows hold must not lie outside.
  return Array.from({ length }, (_, i) =>
    seen === null
      ? usual
      : { ...usual, low: Math.min(usual.low, seen[i].low), high: Math.max(usual.high, seen[i].high) },
  )
}

/** How the raw feature `name` is made into an input, where that is declared. */
const declarationOf = ({ declared }: Part, name: string): Declared | Typed | undefined =>
  Object.entries(declared).find(([input, { from = input }]) => from === name)?.[1]

/** What a field begins with where no row is known. */
function startOf(control: Control, made: Json): Json {
  if (control.kind === 'number') return middle(control.range, control.whole)
  if (control.kind === 'numbers') return control.ranges.map((range) => middle(range, control.whole))
  return made
}

function middle({ low, high }: Range, whole: boolean): number {
  const value = (low + high) / 2
  return whole ? Math.round(value) : Number(value.toPrecision(3))
}
