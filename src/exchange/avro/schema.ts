import type { Json } from '../../json/parse.ts'
import { isMembers, type Members } from '../../serve/values.ts'
import type { AvroReader } from './bytes.ts'

/** Reads one value of a schema. */
export type Decode = (reader: AvroReader) => Json

/**
 * What reads the values of an Avro schema, as JSON: bytes as text of their hexadecimal digits, which no member of a
 * datapoint is. Logical types are passed over. Nothing is made into code.
 * @throws {TypeError} where the schema is none
 */
export function decoderOf(schema: Json): Decode {
  return decoderIn(schema, new Map(), '')
}

/** Values that have no bytes of their own could be any number of. */
const MOST_ITEMS = 1 << 24
/** Schemas may be recursive; records of Vector Search are not. */
const DEEPEST = 64

const PRIMITIVES: Readonly<Record<string, Decode>> = {
  null: () => null,
  boolean: (reader) => reader.boolean(),
  int: (reader) => reader.long(),
  long: (reader) => reader.long(),
  float: (reader) => reader.float(),
  double: (reader) => reader.double(),
  string: (reader) => reader.string(),
  bytes: (reader) => hex(reader.take(reader.count())),
}

type Named = Map<string, Decode>

function decoderIn(schema: Json, named: Named, space: string): Decode {
  if (typeof schema === 'string') {
    const found = Object.hasOwn(PRIMITIVES, schema)
      ? PRIMITIVES[schema]
      : (named.get(fullName(schema, space)) ?? named.get(schema))
    if (found === undefined) throw new TypeError(`the schema has no type ${JSON.stringify(schema)}`)
    return found
  }
  if (Array.isArray(schema)) return unionOf(schema.map((branch: Json) => decoderIn(branch, named, space)))
  if (!isMembers(schema)) throw new TypeError('a schema must be a name, an object or a list')
  const { type } = schema
  if (type === 'record' || type === 'error') return recordOf(schema, named, space)
  if (type === 'enum') return declared(schema, named, space, enumOf(schema))
  if (type === 'fixed') {
    const { size } = schema
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
      throw new TypeError('a fixed type must have a size')
    return declared(schema, named, space, (reader) => hex(reader.take(size)))
  }
  if (type === 'array') return arrayOf(decoderIn(schema.items ?? null, named, space))
  if (type === 'map') return mapOf(decoderIn(schema.values ?? null, named, space))
  return decoderIn(type ?? null, named, space)
}

function fullName(name: string, space: string): string {
  return name.includes('.') || space === '' ? name : `${space}.${name}`
}

function declared(schema: Members, named: Named, space: string, decode: Decode): Decode {
  const { name, namespace = space } = schema
  if (typeof name !== 'string' || typeof namespace !== 'string') throw new TypeError('a named type must have a name')
  named.set(fullName(name, namespace), decode)
  return decode
}

function recordOf(schema: Members, named: Named, space: string): Decode {
  const { fields, name, namespace } = schema
  if (!Array.isArray(fields)) throw new TypeError('a record must have fields')
  const inner =
    typeof namespace === 'string'
      ? namespace
      : typeof name === 'string' && name.includes('.')
        ? name.slice(0, name.lastIndexOf('.'))
        : space
  const members: [string, Decode][] = []
  let depth = 0
  const decode: Decode = (reader) => {
    if (depth > DEEPEST) throw new RangeError(`a record lies more than ${DEEPEST} deep in itself`)
    depth++
    try {
      return Object.fromEntries(members.map(([member, of]) => [member, of(reader)]))
    } finally {
      depth--
    }
  }
  declared(schema, named, inner, decode)
  for (const field of fields as readonly Json[]) {
    if (!isMembers(field) || typeof field.name !== 'string') throw new TypeError('a field must have a name')
    members.push([field.name, decoderIn(field.type ?? null, named, inner)])
  }
  return decode
}

function enumOf({ symbols }: Members): Decode {
  if (!Array.isArray(symbols)) throw new TypeError('an enum must have symbols')
  return (reader) => of(symbols as readonly Json[], reader.count(), 'symbol')
}

function unionOf(branches: readonly Decode[]): Decode {
  return (reader) => of(branches, reader.count(), 'branch')(reader)
}

function of<T>(all: readonly T[], i: number, what: string): T {
  if (i >= all.length) throw new RangeError(`${what} ${i} of ${all.length} is chosen`)
  return all[i]
}

/** Reads item by item. They lie in blocks, each with its count; a negative one has its bytes behind it, to be skipped by. */
function each(reader: AvroReader, read: () => void): void {
  let total = 0
  for (let count = reader.long(); count !== 0; count = reader.long()) {
    if (count < 0) reader.count()
    const size = Math.abs(Number(count))
    total += size
    if (total > MOST_ITEMS) throw new RangeError(`an array has ${total} items or more; at most ${MOST_ITEMS} are read`)
    for (let i = 0; i < size; i++) read()
  }
}

const arrayOf =
  (item: Decode): Decode =>
  (reader) => {
    const list: Json[] = []
    each(reader, () => list.push(item(reader)))
    return list
  }

const mapOf =
  (value: Decode): Decode =>
  (reader) => {
    const members: [string, Json][] = []
    each(reader, () => members.push([reader.string(), value(reader)]))
    return Object.fromEntries(members)
  }

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
