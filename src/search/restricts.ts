import type { Comparison, NumericCondition, NumericRestrict, Restrict } from './datapoint.ts'

// What a restrict must be, of an item and of a query alike. Types hold only where callers are TypeScript.

const COMPARISONS: readonly Comparison[] = ['LESS', 'LESS_EQUAL', 'EQUAL', 'GREATER_EQUAL', 'GREATER', 'NOT_EQUAL']

/** @throws {TypeError | RangeError} where one has no namespace, or tokens that are no strings */
export function checkRestricts(restricts: readonly Restrict[]): void {
  if (!Array.isArray(restricts)) throw new TypeError(`restricts must be a list, got ${kindOf(restricts)}`)
  for (const { namespace, allow, deny } of restricts) {
    checkNamespace('a restrict', namespace)
    for (const [name, tokens = []] of [
      ['allow', allow],
      ['deny', deny],
    ] as const) {
      if (!(Array.isArray(tokens) && tokens.every((token) => typeof token === 'string')))
        throw new TypeError(`"${name}" of the namespace ${JSON.stringify(namespace)} must be a list of strings`)
      for (const token of tokens) checkText(`a token of the namespace ${JSON.stringify(namespace)}`, token)
    }
  }
}

/** @throws {TypeError | RangeError} where it has no namespace, or its value is not a number of its type */
export function checkNumber({ namespace, type, value }: NumericRestrict): void {
  checkNamespace('a numeric restrict', namespace)
  const at = `the value in the namespace ${JSON.stringify(namespace)}`
  if (type === 'int') {
    if (typeof value !== 'bigint')
      throw new TypeError(
        `${at} must be a whole number, a bigint, being an int; got ${typeof value === 'number' ? value : kindOf(value)}`,
      )
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${at} must be a 64-bit integer, got ${value}`)
    return
  }
  if (type !== 'float' && type !== 'double')
    throw new RangeError(`${at} must be of the type int, float or double, got ${shown(type)}`)
  if (typeof value !== 'number') throw new TypeError(`${at} must be a number, being a ${type}; got ${kindOf(value)}`)
  if (Number.isNaN(value)) throw new RangeError(`${at} is NaN, which compares with nothing`)
  if (type === 'float' && Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    throw new RangeError(`${at} must be within float32, got ${value}`)
}

/** @throws {TypeError | RangeError} as `checkNumber`, and where the comparison is none */
export function checkCondition(condition: NumericCondition): void {
  checkNumber(condition)
  if (!COMPARISONS.includes(condition.op))
    throw new RangeError(
      `"op" in the namespace ${JSON.stringify(condition.namespace)} must be one of ${COMPARISONS.join(', ')}; got ${shown(condition.op)}`,
    )
}

/** @throws {TypeError | RangeError} where it is no text, or empty */
export function checkNamespace(what: string, namespace: string): void {
  if (typeof namespace !== 'string') throw new TypeError(`${what} must name its namespace, got ${kindOf(namespace)}`)
  if (namespace === '') throw new RangeError(`${what} must name its namespace, got ""`)
  checkText('a namespace', namespace)
}

const HALF = /\p{Surrogate}/u

/**
 * @param what it is, for messages
 * @throws {RangeError} where it holds half of a surrogate pair: a file has text in UTF-8, which has no bytes for one, and two that
 * differ there alone would be one
 */
export function checkText(what: string, text: string): void {
  if (HALF.test(text))
    throw new RangeError(`${what} must be text, and half of a surrogate pair is none: ${JSON.stringify(text)}`)
}

/** Text as JSON has it; of what is none the kind, as a bigint has no JSON. */
const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : kindOf(value))

const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value)
