import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Datapoint, NumericRestrict } from '../search/datapoint.ts'
import { arrowSchema } from './arrowschema.ts'
import type { ExportFormat } from './export.ts'

/** Floats of a row group, 2 MB: the writer holds each as a number of JavaScript, several times. */
const GROUP = 1 << 19
/** Items of one at most, whose other columns count too. */
const MOST_ROWS = 1 << 15

type Repetition = 'REQUIRED' | 'OPTIONAL'

const text = (name: string, repetition_type: Repetition): SchemaElement => ({
  name,
  type: 'BYTE_ARRAY',
  repetition_type,
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
})
const list = (name: string, repetition_type: Repetition, element: readonly SchemaElement[]): SchemaElement[] => [
  { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ...element,
]
const record = (children: readonly (readonly SchemaElement[])[]): SchemaElement[] => [
  { name: 'element', repetition_type: 'REQUIRED', num_children: children.length },
  ...children.flat(),
]

const SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: 5 },
  text('id', 'REQUIRED'),
  ...list('embedding', 'REQUIRED', [{ name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' }]),
  ...list(
    'restricts',
    'OPTIONAL',
    record([
      [text('namespace', 'REQUIRED')],
      list('allow', 'OPTIONAL', [text('element', 'REQUIRED')]),
      list('deny', 'OPTIONAL', [text('element', 'REQUIRED')]),
    ]),
  ),
  ...list(
    'numeric_restricts',
    'OPTIONAL',
    record([
      [text('namespace', 'REQUIRED')],
      [{ name: 'value_int', type: 'INT64', repetition_type: 'OPTIONAL' }],
      [{ name: 'value_float', type: 'FLOAT', repetition_type: 'OPTIONAL' }],
      [{ name: 'value_double', type: 'DOUBLE', repetition_type: 'OPTIONAL' }],
    ]),
  ),
  text('crowding_tag', 'OPTIONAL'),
]

/**
 * Parquet with the columns of Vector Search's records: `id`, `embedding`, a list that Arrow's readers give back as one of
 * fixed size, `restricts`, `numeric_restricts` and `crowding_tag`, null where an item has none.
 */
export const PARQUET: ExportFormat = {
  paths: (path) => [path],
  sink([file], { width }) {
    const bytes = new ByteWriter()
    const parquet = new ParquetWriter({
      writer: bytes,
      schema: SCHEMA,
      statistics: false,
      createdBy: 'twotower',
      kvMetadata: [{ key: 'ARROW:schema', value: arrowSchema(width) }],
    })
    let items: Datapoint[] = []
    const flush = async (): Promise<void> => {
      await file.append(bytes.getBytes())
      bytes.index = 0
    }
    const group = async () => {
      const columnData = [
        { name: 'id', data: items.map(({ id }) => id), encoding: 'PLAIN' as const },
        // Floats hardly repeat: a dictionary and snappy cost time and save nothing.
        {
          name: 'embedding',
          data: items.map(({ embedding }) => Array.from(embedding)),
          encoding: 'PLAIN' as const,
          codec: 'UNCOMPRESSED' as const,
        },
        { name: 'restricts', data: items.map(restrictsOf) },
        { name: 'numeric_restricts', data: items.map(numbersOf) },
        { name: 'crowding_tag', data: items.map(({ crowdingTag = null }) => crowdingTag) },
      ]
      await parquet.write({ columnData, rowGroupSize: items.length })
      items = []
      await flush()
    }
    return {
      async write(datapoint) {
        items.push(datapoint)
        if (items.length * width >= GROUP || items.length === MOST_ROWS) await group()
      },
      async end() {
        if (items.length > 0) await group()
        await parquet.finish()
        await flush()
      },
    }
  },
}

const restrictsOf = ({ restricts }: Datapoint) =>
  restricts?.map(({ namespace, allow = null, deny = null }) => ({ namespace, allow, deny })) ?? null

const numbersOf = ({ numericRestricts }: Datapoint) => numericRestricts?.map(numberOf) ?? null

const numberOf = ({ namespace, type, value }: NumericRestrict) => ({
  namespace,
  value_int: type === 'int' ? value : null,
  value_float: type === 'float' ? value : null,
  value_double: type === 'double' ? value : null,
})
