import type { Json } from '../../json/parse.ts'
import type { Datapoint, NumericRestrict } from '../../search/datapoint.ts'
import type { AvroWriter } from './bytes.ts'

const optional = (type: Json): Json => ['null', type]
const STRINGS = { type: 'array', items: 'string' }

/** The schema of Vector Search's Avro files, as its page on input data gives it. */
export const SCHEMA: Json = {
  type: 'record',
  name: 'FeatureVector',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'embedding', type: { type: 'array', items: 'float' } },
    {
      name: 'sparse_embedding',
      type: optional({
        type: 'record',
        name: 'sparse_embedding',
        fields: [
          { name: 'values', type: { type: 'array', items: 'float' } },
          { name: 'dimensions', type: { type: 'array', items: 'long' } },
        ],
      }),
    },
    {
      name: 'restricts',
      type: optional({
        type: 'array',
        items: {
          type: 'record',
          name: 'Restrict',
          fields: [
            { name: 'namespace', type: 'string' },
            { name: 'allow', type: optional(STRINGS) },
            { name: 'deny', type: optional(STRINGS) },
          ],
        },
      }),
    },
    {
      name: 'numeric_restricts',
      type: optional({
        type: 'array',
        items: {
          name: 'NumericRestrict',
          type: 'record',
          fields: [
            { name: 'namespace', type: 'string' },
            { name: 'value_int', type: ['null', 'int'], default: null },
            { name: 'value_float', type: ['null', 'float'], default: null },
            { name: 'value_double', type: ['null', 'double'], default: null },
          ],
        },
      }),
      default: null,
    },
    { name: 'crowding_tag', type: optional('string') },
  ],
}

/** Writes a record of `SCHEMA`. @throws {RangeError} for an int past 32 bits, which the schema has no place for */
export function writeRecord(writer: AvroWriter, datapoint: Datapoint): void {
  const { id, embedding, restricts, numericRestricts, crowdingTag } = datapoint
  for (const restrict of numericRestricts ?? []) checkInt(restrict)
  writer.string(id)
  if (embedding.length > 0) {
    writer.long(embedding.length)
    writer.floats(embedding)
  }
  writer.long(0)
  // No sparse embedding.
  writer.long(0)
  either(writer, restricts, (all) =>
    list(writer, all, ({ namespace, allow, deny }) => {
      writer.string(namespace)
      for (const tokens of [allow, deny])
        either(writer, tokens, (some) => list(writer, some, (token) => writer.string(token)))
    }),
  )
  either(writer, numericRestricts, (all) => list(writer, all, (restrict) => number(writer, restrict)))
  either(writer, crowdingTag, (tag) => writer.string(tag))
}

function checkInt({ namespace, type, value }: NumericRestrict): void {
  if (type === 'int' && BigInt.asIntN(32, value) !== value)
    throw new RangeError(
      `the int ${value} in the namespace ${JSON.stringify(namespace)} has more than 32 bits, which Vector Search's Avro schema has no place for; JSON and CSV have`,
    )
}

function either<T>(writer: AvroWriter, value: T | undefined, write: (value: T) => void): void {
  writer.long(value === undefined ? 0 : 1)
  if (value !== undefined) write(value)
}

function list<T>(writer: AvroWriter, items: readonly T[], write: (item: T) => void): void {
  if (items.length > 0) writer.long(items.length)
  for (const item of items) write(item)
  writer.long(0)
}

function number(writer: AvroWriter, { namespace, type, value }: NumericRestrict): void {
  writer.string(namespace)
  either(writer, type === 'int' ? value : undefined, (int) => writer.long(int))
  either(writer, type === 'float' ? value : undefined, (float) => writer.floats(Float32Array.of(float)))
  either(writer, type === 'double' ? value : undefined, (double) => writer.double(double))
}
