import type { Json } from '../json/parse.ts'
import { delimited, varint } from '../ops/examples/fields.ts'
import { concatBytes, type DType } from '../tensor/index.ts'
import { Refusal } from './refusal.ts'
import { isBytes, isMembers, type Members, nested } from './values.ts'

// tf.Example out of JSON (MakeExampleFromJsonObject of util/json_tensor.cc) on the wire (core/example/feature.proto).

const encoder = new TextEncoder()
/** Field numbers of Feature's kinds. */
const KINDS = { bytes: 1, float: 2, int64: 3 } as const
type Kind = keyof typeof KINDS

/**
 * One example, serialized. A number with a fraction or an exponent is a float, a bigint an int64; of one feature all
 * values are of one kind.
 * @param json what `parseJson` makes of numbers without a fraction is a bigint
 * @throws {Refusal} for a value that no feature can hold
 */
export function exampleOf(json: Json): Uint8Array {
  if (!isMembers(json)) throw new Refusal(400, `Example must be JSON object but got JSON ${typeName(json)}`)
  const entries = Object.entries(json).map(([name, value]) => {
    const feature = featureOf(name, Array.isArray(value) ? value : [value])
    return delimited(1, concatBytes([delimited(1, encoder.encode(name)), delimited(2, feature)]))
  })
  return delimited(1, concatBytes(entries))
}

/**
 * The example of a row's members that are `features`, each of the type that it is read as; one that is missing or null the
 * example has not.
 * @throws {RangeError} where the row has none of them
 */
export function exampleWith(row: Members, features: Readonly<Record<string, DType>>): Uint8Array {
  const own = Object.entries(features).filter(([name]) => Object.hasOwn(row, name) && row[name] !== null)
  if (own.length === 0 && Object.keys(features).length > 0)
    throw new RangeError(`an instance has none of the features ${Object.keys(features).join(', ')}`)
  return exampleOf(Object.fromEntries(own.map(([name, dtype]) => [name, typed(row[name], dtype)])))
}

/** JSON writes a float without a fraction as it writes an int64. */
function typed(value: Json, dtype: DType): Json {
  if (Array.isArray(value)) return value.map((item: Json) => typed(item, dtype))
  if (dtype === 'float32' && typeof value === 'bigint') return Number(value)
  return dtype === 'int64' && typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
}

function featureOf(name: string, values: readonly Json[]): Uint8Array {
  if (values.length === 0) return new Uint8Array(0)
  const found = values.map((value) => kindOf(name, value))
  const [kind] = found
  if (found.some((other) => other !== kind))
    throw new Refusal(400, `Unexpected element type in feature: ${name} expecting type: ${kind}`)
  return delimited(KINDS[kind], list(kind, values))
}

function kindOf(name: string, value: Json): Kind {
  if (typeof value === 'string' || isBytes(value)) return 'bytes'
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value)
    throw new Refusal(400, `Feature: ${name} has uint64_t element. Only int64_t is supported.`)
  if (typeof value === 'boolean' || typeof value === 'bigint') return 'int64'
  if (typeof value === 'number') return 'float'
  throw new Refusal(400, `Feature: ${name} has element with unexpected JSON type: ${typeName(value)}`)
}

const typeName = (value: Json): string => {
  if (value === null) return 'Null'
  if (Array.isArray(value)) return 'Array'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'object' ? 'Object' : typeof value === 'string' ? 'String' : 'Number'
}

function list(kind: Kind, values: readonly Json[]): Uint8Array {
  if (kind === 'bytes') {
    const elements = values.map((value) => nested(value) as string | Uint8Array)
    return concatBytes(elements.map((value) => delimited(1, typeof value === 'string' ? encoder.encode(value) : value)))
  }
  if (kind === 'int64')
    return delimited(1, concatBytes(values.map((value) => varint(BigInt(value as bigint | boolean)))))
  return delimited(1, new Uint8Array(Float32Array.from(values as readonly number[], Number).buffer))
}
