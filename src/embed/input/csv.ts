import { parse } from 'csv-parse/sync'
import type { Port } from '../../graph/index.ts'
import { type Json, parseJson } from '../../json/parse.ts'
import type { NumberedRow } from '../piece.ts'
import { countLines, endOfLine, type RowEnds } from './cut.ts'

// CSV as RFC 4180 has it: a cell in quotes may hold delimiters, line feeds and doubled quotes.

const [NEWLINE, RETURN, QUOTE] = [10, 13, 34]
export type Delimiter = ',' | '\t'

/** Rows of CSV: a line feed inside quotes ends none. */
export function csvEnds(delimiter: Delimiter): RowEnds {
  const separator = delimiter.charCodeAt(0)
  let [quoted, atStart] = [false, true]
  return {
    *in(block) {
      for (let i = 0; i < block.length; i++) {
        const byte = block[i]
        // A doubled quote closes and opens again. Quotes count only where a cell begins, or to end what was opened there.
        if (byte === QUOTE && (quoted || atStart)) {
          quoted = !quoted
          atStart = !quoted
        } else if (!quoted) {
          atStart = byte === separator || byte === NEWLINE
          if (byte === NEWLINE) yield i + 1
        }
      }
    },
    over: endOfLine,
  }
}

interface Parsed {
  readonly info: { readonly lines: number }
  readonly record: readonly string[]
}

const cells = (bytes: Uint8Array, delimiter: Delimiter): Parsed[] =>
  parse(bytes, {
    delimiter,
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    info: true,
    bom: true,
  }) as unknown as Parsed[]

/** The names in a first line. @throws {Error} where there is none, or one stands twice */
export function csvHeader(bytes: Uint8Array, delimiter: Delimiter): readonly string[] {
  const [first] = cells(bytes, delimiter)
  const names = first?.record ?? []
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (names.length === 0) throw new Error('CSV begins with a line of column names; there is none')
  if (twice !== undefined) throw new Error(`the column "${twice}" is there twice`)
  return names
}

/**
 * The rows in `bytes` as objects of features: cells of a numeric feature become numbers, of one with more than one value
 * their JSON; an empty cell of these is no value. So it is for the row's own lists, its embedding and restricts. Others are
 * text.
 * @param first the number of the first line
 */
export function readCsv(
  bytes: Uint8Array,
  first: number,
  header: readonly string[],
  delimiter: Delimiter,
  ports: readonly Port[],
): NumberedRow[] {
  const readers = header.map((name) =>
    cellReader(
      name,
      ports.find((port) => port.name === name),
    ),
  )
  const row = (record: readonly string[]): Json => {
    if (record.length !== header.length)
      throw new RangeError(`the row has ${record.length} cells, the header has ${header.length}${otherwiseCut(header)}`)
    const members = record.map((cell, i) => [header[i], readers[i](cell)] as const)
    return Object.fromEntries(members.filter((member): member is [string, Json] => member[1] !== undefined))
  }
  try {
    let number = first
    return cells(bytes, delimiter).map(({ info, record }) => {
      const at = number
      number = first + info.lines
      return { number: at, json: () => row(record) }
    })
  } catch {
    return oneByOne(bytes, first, delimiter, row)
  }
}

/** What to do where a header of one cell looks like several between other delimiters. */
const otherwiseCut = (header: readonly string[]): string =>
  header.length === 1 && /[;\t|]/.test(header[0])
    ? `, ${JSON.stringify(header[0])}: cells stand between commas, or with --format tsv between tabs`
    : ''

/** Where a row cannot be read it must not spoil the others. */
function oneByOne(
  bytes: Uint8Array,
  first: number,
  delimiter: Delimiter,
  row: (record: readonly string[]) => Json,
): NumberedRow[] {
  const rows: NumberedRow[] = []
  let [start, number] = [0, first]
  for (const end of [...csvEnds(delimiter).in(bytes), bytes.length]) {
    const part = bytes.subarray(start, end)
    if (part.some((byte) => byte !== NEWLINE && byte !== RETURN))
      rows.push({ number, json: () => row(cells(part, delimiter)[0]?.record ?? []) })
    number += countLines(part)
    start = end
  }
  return rows
}

type CellReader = (cell: string) => Json | undefined

/** What a row says of itself in lists, beside its features. */
const LISTS = ['embedding', 'restricts', 'numeric_restricts']

function cellReader(name: string, port: Port | undefined): CellReader {
  if (port === undefined)
    return LISTS.includes(name) ? listReader((cell) => (cell.trim() === '' ? undefined : cell)) : (cell) => cell
  const { dtype, shape } = port
  const one: CellReader =
    dtype === 'string'
      ? (cell) => cell
      : dtype === 'bool'
        ? (cell) => (cell === '' ? undefined : truth(cell, name))
        : (cell) => (cell.trim() === '' ? undefined : numeric(cell, name))
  const isList = shape !== null && (shape.length > 2 || (shape.length === 2 && shape[1] !== 1))
  return isList ? listReader(one) : one
}

const listReader =
  (otherwise: CellReader): CellReader =>
  (cell) =>
    /^\s*\[/.test(cell) ? parseJson(cell) : otherwise(cell)

function truth(cell: string, name: string): boolean {
  const text = cell.trim().toLowerCase()
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new TypeError(`feature "${name}" must be true or false, got ${JSON.stringify(cell)}`)
}

/** An integer past 2^53 keeps its digits. */
function numeric(cell: string, name: string): Json {
  const text = cell.trim()
  const value = Number(text)
  if (Number.isNaN(value) && !/^nan$/i.test(text))
    throw new TypeError(`feature "${name}" must be a number, got ${JSON.stringify(cell)}`)
  return !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(text) ? BigInt(text) : value
}
