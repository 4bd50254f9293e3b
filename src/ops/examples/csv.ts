import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { type DType, StringsBuilder, type Tensor, zeros } from '../../tensor/index.ts'
import { parseFloating, parseInteger } from '../numbertext.ts'
import { nameOf } from './wire.ts'

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d

interface Format {
  readonly delimiter: number
  readonly quotes: boolean
  /** The fields that are wanted, ascending; null for all. */
  readonly select: readonly number[] | null
}

/** The wanted fields of one record. Line breaks before a field are passed over; nothing after the last one is read. */
function fieldsOf(record: Uint8Array, { delimiter, quotes, select }: Format): Uint8Array[] {
  const fields: Uint8Array[] = []
  let at = 0
  let parsed = 0
  const wanted = () => select === null || select[fields.length] === parsed
  while (at < record.length) {
    if (record[at] === LF || record[at] === CR) {
      at++
      continue
    }
    const field: number[] = []
    if (quotes && record[at] === QUOTE) at = readQuoted(record, at + 1, delimiter, field)
    else {
      for (; at < record.length && record[at] !== delimiter; at++) {
        if ((quotes && record[at] === QUOTE) || record[at] === LF || record[at] === CR) {
          throw new InvalidArgumentError('Unquoted fields cannot have quotes/CRLFs inside')
        }
        field.push(record[at])
      }
      at++
    }
    if (wanted()) fields.push(Uint8Array.from(field))
    parsed++
    if (fields.length === select?.length) return fields
  }
  if (record.length > 0 && record[record.length - 1] === delimiter && wanted()) fields.push(new Uint8Array(0))
  return fields
}

/** Reads a quoted field from past its quote into `field`; answers where the next field begins. */
function readQuoted(record: Uint8Array, from: number, delimiter: number, field: number[]): number {
  const last = record.length - 1
  let at = from
  while (at < last && (record[at] !== QUOTE || record[at + 1] !== delimiter)) {
    if (record[at] !== QUOTE) field.push(record[at++])
    else {
      if (record[at + 1] !== QUOTE) {
        throw new InvalidArgumentError('Quote inside a string has to be escaped by another quote')
      }
      field.push(QUOTE)
      at += 2
    }
  }
  if (!(at <= last && record[at] === QUOTE && (at === last || record[at + 1] === delimiter))) {
    throw new InvalidArgumentError('Quoted field has to end with quote followed by delim or end')
  }
  return at + 2
}

/** A column under construction: `put` takes a field's bytes, or null for its default. */
interface Column {
  put(record: number, field: Uint8Array | null): void
  finish(): Tensor
}

const TYPE_NAMES: Partial<Record<DType, string>> = { float32: 'float', float64: 'double' }

function columnOf(fallback: Tensor, f: number, shape: readonly number[], size: number): Column {
  const { dtype } = fallback
  const invalid = (record: number, field: Uint8Array): never => {
    throw new InvalidArgumentError(
      `Field ${f} in record ${record} is not a valid ${TYPE_NAMES[dtype] ?? dtype}: ${nameOf(field)}`,
    )
  }
  switch (dtype) {
    case 'string': {
      const strings = new StringsBuilder(size)
      return {
        put: (_, field) => strings.push(field ?? fallback.data.at(0)),
        finish: () => ({ dtype, shape, data: strings.finish() }),
      }
    }
    case 'int64': {
      const data = zeros(dtype, size)
      return {
        put: (i, field) => {
          data[i] = field === null ? fallback.data[0] : (parseInteger(nameOf(field), 64) ?? invalid(i, field))
        },
        finish: () => ({ dtype, shape, data }),
      }
    }
    case 'int32':
    case 'float32':
    case 'float64': {
      const data = zeros(dtype, size)
      const parse = (text: string) => (dtype === 'int32' ? parseInteger(text, 32) : parseFloating(text))
      return {
        put: (i, field) => {
          data[i] = field === null ? fallback.data[0] : Number(parse(nameOf(field)) ?? invalid(i, field))
        },
        finish: () => ({ dtype, shape, data }) as Tensor,
      }
    }
    default:
      throw new InvalidArgumentError(`csv: data type ${dtype} not supported in field ${f}`)
  }
}

/**
 * After core/kernels/decode_csv_op.cc. A field that is empty, quoted or not, or is `na_value` takes its default. A line
 * break is refused inside an unquoted field, so also at the end of a record. An empty record has no fields.
 */
export const decodeCsv: Op = {
  outputs: (attrs) => [['output', attrs.dtypes('OUT_TYPE').length]],
  evaluate({ inputs, attrs }) {
    const [records, ...defaults] = inputs
    const types = attrs.dtypes('OUT_TYPE')
    const delimiter = attrs.bytes('field_delim', Uint8Array.of(0x2c))
    const select = attrs.numbers('select_cols', [])
    if (delimiter.length !== 1) throw new InvalidArgumentError('field_delim should be only 1 char')
    checkSelection(select, types.length)
    if (records.dtype !== 'string') throw new TypeError(`records must be strings, got ${records.dtype}`)
    const format: Format = {
      delimiter: delimiter[0],
      quotes: attrs.boolean('use_quote_delim', true),
      select: select.length > 0 ? select : null,
    }
    const missing = nameOf(attrs.bytes('na_value', new Uint8Array(0)))
    defaults.forEach((value, f) => {
      if (value.data.length > 1) {
        throw new InvalidArgumentError(
          `There should only be 1 default per field but field ${f} has ${value.data.length}`,
        )
      }
    })
    const columns = defaults.map((value, f) => columnOf(value, f, records.shape, records.data.length))
    for (let i = 0; i < records.data.length; i++) {
      const fields = fieldsOf(records.data.at(i), format)
      if (fields.length !== types.length) {
        throw new InvalidArgumentError(`Expect ${types.length} fields but have ${fields.length} in record ${i}`)
      }
      fields.forEach((field, f) => {
        const absent = field.length === 0 || nameOf(field) === missing
        if (absent && defaults[f].data.length === 0) {
          throw new InvalidArgumentError(`Field ${f} is required but missing in record ${i}!`)
        }
        columns[f].put(i, absent ? null : field)
      })
    }
    return columns.map((column) => column.finish())
  },
}

function checkSelection(select: readonly number[], fields: number): void {
  if (select.length > 0 && select.length !== fields) {
    throw new InvalidArgumentError('select_cols should match output size')
  }
  if (select.some((column) => column < 0)) {
    throw new InvalidArgumentError('select_cols should be non-negative indices')
  }
  if (select.some((column, i) => i > 0 && column <= select[i - 1])) {
    throw new InvalidArgumentError('select_cols should be strictly increasing indices')
  }
}
