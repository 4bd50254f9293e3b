import type { Json } from '../json/parse.ts'
import { isBytes, isMembers, nested } from '../serve/values.ts'
import { isFloat, sizeOf, type Tensor, utf8 } from '../tensor/index.ts'

/** What was recorded of one output for one instance: flat values. */
export interface Expected {
  readonly output: string
  readonly values: readonly Json[]
  /** The size that the output's numbers usually have in the recordings: errors are seen against it. */
  readonly scale: number
}

/** A value that is another than the recorded one. */
export interface Difference {
  readonly output: string
  readonly index: number
  readonly expected: Json
  readonly got: Json
}

/** How near the answer to one instance is to its recording. */
export interface Outcome {
  readonly reproduced: boolean
  /** 0 where it is the same, about 1 where it has nothing to do with it, Infinity where the instance is refused. */
  readonly distance: number
  /** The largest absolute error of its numbers, their sum, and how many there are. */
  readonly largest: number
  readonly sum: number
  readonly count: number
  /** got − expected, of numbers. */
  readonly residuals: readonly number[]
  readonly worst: Difference | null
  /** Why it was refused. */
  readonly refusal?: string
}

export const refused = (error: Error): Outcome => ({
  reproduced: false,
  distance: Infinity,
  largest: Infinity,
  sum: Infinity,
  count: 1,
  residuals: [],
  worst: null,
  refusal: error.message,
})

/** Holds what came for one instance, lists by output, against what was recorded. */
export function outcomeOf(
  expected: readonly Expected[],
  got: ReadonlyMap<string, readonly Json[]>,
  tolerance: number,
): Outcome {
  let [largest, sum, count, squares, wrong] = [0, 0, 0, 0, 0]
  let worst: (Difference & { readonly badness: number }) | null = null
  const residuals: number[] = []
  for (const { output, values, scale } of expected) {
    const found = got.get(output) ?? []
    if (found.length !== values.length)
      return refused(new RangeError(`output "${output}" has ${found.length} values, the recording ${values.length}`))
    for (const [index, value] of values.entries()) {
      const other = found[index]
      const [a, b] = [Number(value), Number(other)]
      const isNumber = typeof other === 'number' && typeof value !== 'object'
      const absolute = isNumber ? (Object.is(a, b) || a === b ? 0 : Math.abs(a - b)) : sameText(value, other) ? 0 : 1
      // As `verify` has it: within the tolerance relative, or a tenth of it absolute.
      const badness =
        absolute === 0 ? 0 : isNumber ? Math.min(absolute / Math.abs(a), absolute * 10) / tolerance : Infinity
      count++
      if (isNumber) residuals.push(b - a)
      if (!(absolute <= largest)) largest = absolute
      sum += absolute
      squares += Math.min((absolute / (isNumber ? scale : 1)) ** 2, 100)
      if (badness <= 1) continue
      wrong++
      if (worst === null || !(badness <= worst.badness)) worst = { output, index, expected: value, got: other, badness }
    }
  }
  const distance = Math.sqrt(squares / Math.max(1, count))
  const shown =
    worst === null ? null : { output: worst.output, index: worst.index, expected: worst.expected, got: worst.got }
  return { reproduced: wrong === 0, distance, largest, sum, count, residuals, worst: shown }
}

const sameText = (a: Json, b: Json): boolean => text(a) === text(b)
const text = (value: Json): string => {
  if (!isBytes(value)) return String(value)
  const bytes = nested(value) as Uint8Array
  return utf8(bytes) ?? String(bytes)
}

/** The elements of row `row` of a batch's output: integers as they are in JSON, text as text. */
export function rowOf(t: Tensor, row: number, rows: number): Json[] {
  if (t.shape.length === 0 || t.shape[0] !== rows)
    throw new RangeError(`an output of the shape [${t.shape}] is not one row an instance`)
  const width = sizeOf(t.shape.slice(1))
  return Array.from({ length: width }, (_, i): Json => {
    const at = row * width + i
    if (t.dtype === 'string') return utf8(t.data.at(at)) ?? String(t.data.at(at))
    const value = (t.data as ArrayLike<number | bigint>)[at]
    return t.dtype === 'bool'
      ? value !== 0
      : isFloat(t.dtype)
        ? Number(value)
        : typeof value === 'bigint' && Number.isSafeInteger(Number(value))
          ? Number(value)
          : value
  })
}

/** All values of nested lists, flat. */
export const flat = (value: Json): Json[] => (Array.isArray(value) ? value.flatMap(flat) : [value])

/** The root of the mean of squares of the numbers among `values`; 1 where there is none that is not 0. */
export function sizeOfNumbers(values: readonly Json[]): number {
  const numbers = values.map(Number).filter(Number.isFinite)
  const mean = numbers.reduce((sum, value) => sum + value * value, 0) / Math.max(1, numbers.length)
  return mean > 0 ? Math.sqrt(mean) : 1
}

/** True for a prediction that is one number. */
export const isScore = (prediction: Json): boolean => {
  const values = isMembers(prediction)
    ? Object.values(prediction).filter((value) => typeof value !== 'string')
    : [prediction]
  return values.length === 1 && flat(values[0]).length === 1 && typeof flat(values[0])[0] === 'number'
}
