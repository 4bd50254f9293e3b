import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { concatBytes, Strings, utf8 } from '../../tensor/index.ts'
import { delimited, FIXED32, tag, VARINT, varint } from './fields.ts'
import { type Json, parseJson } from './protojson.ts'

// DecodeJSONExample: an Example in protobuf's JSON mapping to its wire format, byte for byte as protobuf's
// JsonToBinaryStream writes it: in the order of the text, repeated numbers unpacked, a null as if it were not there.

const encoder = new TextEncoder()

const refuse = (problem: string): never => {
  throw new InvalidArgumentError(`Error while parsing JSON: ${problem}`)
}

type Entries = readonly (readonly [name: string, value: Json])[]

/** The entries of a message; a list or a scalar is not one. */
function entriesOf(json: Json, where: string): Entries {
  if (json.kind !== 'object') return refuse(`${where}: Proto field is not repeating, cannot start list.`)
  return json.entries
}

const example = (json: Json): Uint8Array =>
  concatBytes(
    entriesOf(json, 'Root element must be a message').map(([name, value]) => {
      if (name !== 'features') return refuse(`${name}: Cannot find field.`)
      return value.kind === 'null' ? NOTHING : delimited(1, features(value))
    }),
  )

const features = (json: Json): Uint8Array =>
  concatBytes(
    entriesOf(json, 'features').map(([name, map]) => {
      if (name !== 'feature') return refuse(`(features) ${name}: Cannot find field.`)
      return map.kind === 'null' ? NOTHING : featureMap(map)
    }),
  )

function featureMap(map: Json): Uint8Array {
  if (map.kind !== 'object') return refuse("(features): invalid value Cannot bind a list to map for field 'feature'.")
  const keys = new Set<string>()
  return concatBytes(
    map.entries.map(([key, value]) => {
      if (keys.has(key)) return refuse(`Repeated map key: '${key}' is already set.`)
      keys.add(key)
      const name = delimited(1, encoder.encode(key))
      return delimited(1, value.kind === 'null' ? name : concatBytes([name, delimited(2, feature(value))]))
    }),
  )
}

/** A kind of list: its field in Feature, and how one value is written with its tag. */
interface ListKind {
  readonly field: number
  write(value: Json): Uint8Array
}

const BYTES: ListKind = { field: 1, write: (value) => delimited(1, base64(value)) }
const FLOATS: ListKind = { field: 2, write: (value) => concatBytes([tag(1, FIXED32), float(value)]) }
const INTS: ListKind = { field: 3, write: (value) => concatBytes([tag(1, VARINT), varint(integer(value))]) }
const LISTS = new Map([
  ['bytes_list', BYTES],
  ['bytesList', BYTES],
  ['float_list', FLOATS],
  ['floatList', FLOATS],
  ['int64_list', INTS],
  ['int64List', INTS],
])

function feature(json: Json): Uint8Array {
  const set = entriesOf(json, 'feature').filter(([, list]) => list.kind !== 'null')
  if (set.length > 1) return refuse("oneof field 'kind' is already set.")
  return concatBytes(
    entriesOf(json, 'feature').map(([name, list]) => {
      const kind = LISTS.get(name)
      if (kind === undefined) return refuse(`(features.feature) ${name}: Cannot find field.`)
      return list.kind === 'null' ? NOTHING : delimited(kind.field, values(list, kind))
    }),
  )
}

const values = (list: Json, kind: ListKind): Uint8Array =>
  concatBytes(
    entriesOf(list, 'list').map(([name, value]) => {
      if (name !== 'value') return refuse(`${name}: Cannot find field.`)
      return concatBytes(flat(value).map(kind.write))
    }),
  )

/** The values of a list, of lists in it, or of a lone value; nulls are left out. */
function flat(json: Json): Json[] {
  if (json.kind === 'array') return json.items.flatMap(flat)
  return json.kind === 'null' ? [] : [json]
}

const INTEGER = /^[-+]?\d+$/
const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i

/** An int64 from a number or from text; a number with a fraction must be whole. */
function integer(json: Json): bigint {
  if (json.kind !== 'number' && json.kind !== 'string') return refuse(`invalid value ${json.kind} for type TYPE_INT64`)
  const { text } = json
  let value: bigint
  if (INTEGER.test(text)) value = BigInt(text.replace(/^\+/, ''))
  else if (json.kind === 'number' && Number.isInteger(Number(text))) value = BigInt(Number(text))
  else return refuse(`invalid value ${text} for type TYPE_INT64`)
  return BigInt.asIntN(64, value) === value ? value : refuse(`invalid value ${text} for type TYPE_INT64`)
}

const NAMED = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

/** A float32's bytes; what would round to infinity is refused. The token -0 is an integer, so plain zero. */
function float(json: Json): Uint8Array {
  if (json.kind !== 'number' && json.kind !== 'string') return refuse(`invalid value ${json.kind} for type TYPE_FLOAT`)
  const { text } = json
  const named = json.kind === 'string' ? NAMED.get(text) : undefined
  const value = named ?? (DECIMAL.test(text) ? Math.fround(Number(text)) : Number.NaN)
  if (named === undefined && !Number.isFinite(value)) refuse(`invalid value ${text} for type TYPE_FLOAT`)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, text === '-0' && json.kind === 'number' ? 0 : value, true)
  return bytes
}

const STANDARD = /^[A-Za-z0-9+/]*$/
const URL_SAFE = /^[A-Za-z0-9_-]*$/
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 in either alphabet, padded to a multiple of four or not at all; loose bits at the end are refused. */
function base64(json: Json): Uint8Array {
  if (json.kind !== 'string') return refuse(`invalid value ${json.kind} for type TYPE_BYTES`)
  const invalid = () => refuse(`invalid value "${json.text}" for type TYPE_BYTES`)
  const digits = json.text.replace(/={1,2}$/, '')
  if (digits.length !== json.text.length && json.text.length % 4 !== 0) invalid()
  if (digits.length % 4 === 1 || !(STANDARD.test(digits) || URL_SAFE.test(digits))) invalid()
  const bytes = new Uint8Array((digits.length * 6) >> 3)
  let bits = 0
  let held = 0
  let at = 0
  for (const digit of digits.replaceAll('-', '+').replaceAll('_', '/')) {
    bits = ((bits << 6) | DIGITS.indexOf(digit)) & 0xfff
    held += 6
    if (held >= 8) {
      held -= 8
      bytes[at++] = (bits >> held) & 0xff
    }
  }
  if ((bits & ((1 << held) - 1)) !== 0) invalid()
  return bytes
}

const NOTHING = new Uint8Array(0)

/** After DecodeJSONExampleOp in core/kernels/example_parsing_ops.cc. */
export const decodeJsonExample: Op = {
  evaluate({ inputs: [json] }) {
    if (json.dtype !== 'string') throw new TypeError(`json_examples must be strings, got ${json.dtype}`)
    const examples: Uint8Array[] = []
    for (let i = 0; i < json.data.length; i++) {
      const text = utf8(json.data.at(i)) ?? refuse('Encountered non UTF-8 code points.')
      examples.push(example(parseJson(text)))
    }
    return { dtype: 'string', shape: json.shape, data: Strings.from(examples) }
  },
}
