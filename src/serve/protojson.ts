import type { Json } from '../json/parse.ts'
import { isMembers, type Members } from './values.ts'

// Messages in protobuf's JSON (protobuf.dev/programming-guides/json): names in lowerCamelCase or as the proto file has them,
// null for what is not set, integers as numbers or text.

const camel = (name: string): string => name.replace(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase())

/**
 * The members of a message that are set, by their names in lowerCamelCase.
 * @throws {RangeError} for a member that the message has not, or that is there under both names
 */
export function message(what: string, json: Members, known: readonly string[]): Members {
  const members = new Map<string, Json>()
  for (const [name, value] of Object.entries(json)) {
    const field = camel(name)
    if (!known.includes(field))
      throw new RangeError(`${what} has no field ${JSON.stringify(name)}; it has ${known.join(', ')}`)
    if (value === null) continue
    if (members.has(field)) throw new RangeError(`${what} has the field "${field}" twice`)
    members.set(field, value)
  }
  return Object.fromEntries(members)
}

/** @throws {TypeError} where `json` is no object */
export function opened(what: string, json: Json): Members {
  if (isMembers(json)) return json
  throw new TypeError(`${what} must be a JSON object`)
}

/** A repeated field; where it is not set it is empty. */
export function list(name: string, json: Json | undefined): readonly Json[] {
  if (json === undefined) return []
  if (Array.isArray(json)) return json
  throw new TypeError(`"${name}" must be a list`)
}

export function strings(name: string, json: Json | undefined): string[] {
  return list(name, json).map((value) => {
    if (typeof value === 'string') return value
    throw new TypeError(`"${name}" must be a list of text`)
  })
}

/** @throws {TypeError} where it is set to anything but text */
export function checkText(name: string, json: Json | undefined): void {
  if (json !== undefined && typeof json !== 'string') throw new TypeError(`"${name}" must be text`)
}

export function boolean(name: string, json: Json | undefined): boolean {
  if (json === undefined || typeof json === 'boolean') return json ?? false
  throw new TypeError(`"${name}" must be true or false`)
}

/** An int32 that counts; undefined where it is not set or 0, which is the same. */
export function count(name: string, json: Json | undefined): number | undefined {
  if (json === undefined) return undefined
  const value = typeof json === 'number' ? json : typeof json === 'string' && /^\d+$/.test(json) ? Number(json) : -1
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 31)
    throw new RangeError(`"${name}" must be a whole number that is not negative`)
  return value === 0 ? undefined : value
}

/** A share, over 0 up to 1; undefined where it is not set or 0, which is the same. */
export function fraction(name: string, json: Json | undefined): number | undefined {
  if (json === undefined || json === 0) return undefined
  if (typeof json !== 'number' || !(json > 0 && json <= 1))
    throw new RangeError(`"${name}" must be a number over 0 up to 1`)
  return json
}
