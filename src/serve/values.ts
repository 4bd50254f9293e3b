import type { Nested } from '../engine/model.ts'
import type { Json } from '../json/parse.ts'
import { floatsOf } from './floats.ts'

export type Members = { readonly [name: string]: Json }

/** A JSON object. */
export const isMembers = (value: Json): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** Bytes as TensorFlow Serving writes them: {"b64": …}. */
export const isBytes = (value: Json): value is { readonly b64: string } =>
  isMembers(value) && typeof value.b64 === 'string' && Object.keys(value).length === 1

/** JSON as the nested lists of an input, `name` where it is known; {"b64"} is bytes. */
export function nested(value: Json, name?: string): Nested {
  // A list of numbers, which most are, is one already.
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'number') ? value : value.map((item) => nested(item, name))
  if (isBytes(value)) return bytesOf(value.b64)
  if (value === null || typeof value === 'object')
    throw new TypeError(
      `${name === undefined ? '' : `input "${name}": `}${value === null ? 'null' : 'an object'} is not a value of a tensor`,
    )
  return value as Nested
}

function bytesOf(b64: string): Uint8Array {
  // As absl::Base64Unescape, which passes over blanks and takes no padding or all of it; the alphabet of URLs is taken too.
  const digits = b64
    .replace(/[ \t\r\n\f\v]/g, '')
    .replace(/-/g, '+')
    .replace(/_/g, '/')
  const bare = digits.replace(/={1,2}$/, '')
  const padded = digits.length > bare.length
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1 || (padded && digits.length % 4 !== 0))
    throw new TypeError('Unable to base64 decode: "b64" is not base64')
  const text = atob(bare)
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

/** @throws {TypeError} where `json` is not a list of numbers */
export function vectorOf(json: Json): Float32Array {
  // A whole number past 2^53 was read as a bigint.
  if (!Array.isArray(json) || !json.every((value) => typeof value === 'number' || typeof value === 'bigint'))
    throw new TypeError('an embedding must be a list of numbers')
  return floatsOf(json.map(Number), 'an embedding')
}
