import type { Nested } from '../engine/model.ts'
import type { Json } from './json.ts'

export type Members = { readonly [name: string]: Json }

/** A JSON object. */
export const isMembers = (value: Json): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** Bytes as TensorFlow Serving writes them: {"b64": …}. */
export const isBytes = (value: Json): value is { readonly b64: string } =>
  isMembers(value) && typeof value.b64 === 'string' && Object.keys(value).length === 1

/** JSON as an input's nested lists; {"b64"} is bytes. */
export function nested(value: Json): Nested {
  if (Array.isArray(value)) return value.map(nested)
  if (isBytes(value)) return bytesOf(value.b64)
  if (value === null || typeof value === 'object')
    throw new TypeError(`${value === null ? 'null' : 'an object'} is not a value of a tensor`)
  return value as Nested
}

function bytesOf(b64: string): Uint8Array {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(b64)) throw new TypeError('"b64" is not base64')
  const text = atob(b64.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

/** @throws {TypeError} where `json` is not a list of numbers */
export function vectorOf(json: Json): Float32Array {
  // A whole number past 2^53 was read as a bigint.
  if (!Array.isArray(json) || !json.every((value) => typeof value === 'number' || typeof value === 'bigint'))
    throw new TypeError('an embedding must be a list of numbers')
  return Float32Array.from(json as number[], Number)
}
