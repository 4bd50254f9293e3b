import type { Nested } from '../engine/model.ts'

/** The largest number that a float32 holds. */
export const MOST_FLOAT = (2 - 2 ** -23) * 2 ** 127

/**
 * Refuses finite numbers that would become infinite in a float32, as TensorFlow Serving did until 2021 (IsLosslessDecimal of
 * util/json_tensor.cc); since then it answers for an infinity that nobody wrote.
 * @throws {RangeError} that names `what` and the number
 */
export function refuseOverflow(value: Nested, what: string): void {
  if (Array.isArray(value)) {
    for (const item of value) {
      if (Array.isArray(item)) refuseIn(item, what)
      else refuseOverflow(item, what)
    }
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    // Digits alone past 2^53 were read as a bigint.
    if (overflows(Number(value))) throw lossy(what, Number(value))
  }
}

/**
 * The same of an inner list, of numbers mostly. Where one loop sees lists of lists too, V8 turns its lists of doubles into lists
 * of objects, one a number.
 */
function refuseIn(row: readonly Nested[], what: string): void {
  for (let i = 0; i < row.length; i++) {
    const item = row[i]
    if (typeof item !== 'number' || overflows(item)) refuseOverflow(item, what)
  }
}

const overflows = (value: number): boolean => Math.abs(value) > MOST_FLOAT && Number.isFinite(value)

/**
 * An embedding's numbers as float32. The shortest text of the largest float32, 3.4028235e+38, is a little more than it: what
 * we wrote so is read again.
 * @throws {RangeError} where a finite number would become infinite
 */
export function floatsOf(values: readonly number[], what: string): Float32Array {
  const floats = Float32Array.from(values)
  for (const [i, value] of values.entries())
    if (Number.isFinite(value) && !Number.isFinite(floats[i])) throw lossy(what, value)
  return floats
}

const lossy = (what: string, value: number): RangeError =>
  new RangeError(`${what}: cannot convert JSON value: ${value} to float without loss of precision`)
