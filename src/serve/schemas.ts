import type { Port } from '../graph/index.ts'
import type { DType, ReadDType } from '../tensor/index.ts'
import { MOST_FLOAT } from './floats.ts'
import type { Members } from './values.ts'

// Tensors as JSON Schema: what a signature takes, whole or row by row.

/** A part of an OpenAPI document; most are JSON Schemas. */
export type Part = Members
/** A schema; false is what nothing fits. */
type Schema = Part | false

export const anything: Part = {}
export const text: Part = { type: 'string' }
export const list = (items: Part, bounds: Part = {}): Part => ({ type: 'array', items, ...bounds })
export const record = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[],
  more: boolean | Part,
): Part => ({
  type: 'object',
  properties,
  required,
  additionalProperties: more,
})
export const anyOf = (parts: readonly Part[]): Part => (parts.length === 1 ? parts[0] : { anyOf: parts })

export const BASE64: Part = record({ b64: { type: 'string', pattern: '^([A-Za-z0-9+/]{4})*$' } }, ['b64'], false)
export const integer = (minimum: number | bigint, maximum: number | bigint): Part => ({
  type: 'integer',
  minimum,
  maximum,
})
export const MOST_INT64 = 2n ** 63n - 1n
export const INT64: Part = integer(-(2n ** 63n), MOST_INT64)

export const FLOAT: Part = { type: 'number', minimum: -MOST_FLOAT, maximum: MOST_FLOAT }

const ELEMENTS: Readonly<Record<ReadDType, Part>> = {
  float32: FLOAT,
  float64: { type: 'number' },
  float16: { type: 'number' },
  bfloat16: { type: 'number' },
  int8: integer(-128, 127),
  int16: integer(-32768, 32767),
  int32: integer(-(2 ** 31), 2 ** 31 - 1),
  int64: INT64,
  uint8: integer(0, 255),
  uint16: integer(0, 65535),
  uint32: integer(0, 2 ** 32 - 1),
  uint64: integer(0, 2n ** 64n - 1n),
  bool: { type: 'boolean' },
  complex64: { not: anything },
  complex128: { not: anything },
  string: { anyOf: [text, BASE64] },
  resource: { not: anything },
  variant: { not: anything },
}

/** A tensor as nested lists. @param dims what is known of its shape, null for any length */
const nested = (dtype: DType, dims: readonly (number | null)[]): Part =>
  dims.length === 0
    ? (ELEMENTS[dtype as ReadDType] ?? { not: anything })
    : list(nested(dtype, dims.slice(1)), dims[0] === null ? {} : { minItems: dims[0], maxItems: dims[0] })

export const whole = ({ dtype, shape }: Port): Part => (shape === null ? anything : nested(dtype, shape))
/** A column of one row, where the first dimension is the batch. */
export const oneRow = (port: Port): Part =>
  port.shape?.[0] === null ? list(rowOf(port), { minItems: 1, maxItems: 1 }) : whole(port)
export const rowOf = ({ dtype, shape }: Port): Part => (shape === null ? anything : nested(dtype, shape.slice(1)))
/** A row's feature as the tower routes take it: of one value, bare or as a list of one. */
export const featureOf = (port: Port): Part => {
  if (port.shape === null) return anything
  const inner = port.shape.slice(1)
  if (inner.length === 0) return { anyOf: [rowOf(port), list(rowOf(port), { minItems: 1, maxItems: 1 })] }
  return rowOf(port)
}

export const byName = (ports: readonly Port[], schema: (port: Port) => Part): Readonly<Record<string, Part>> =>
  Object.fromEntries(ports.map((port) => [port.name, schema(port)]))
export const needed = (ports: readonly Port[]): string[] =>
  ports.filter(({ fallback }) => fallback === undefined).map(({ name }) => name)
