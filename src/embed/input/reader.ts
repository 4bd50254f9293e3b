import type { Port } from '../../graph/index.ts'
import type { InputFormat, NumberedRow, Piece, RowRange } from '../piece.ts'
import { readLines } from './jsonl.ts'
import type { OpenRanges } from './parquet.ts'

/** Reads the rows of a piece. */
export type Reader = (piece: Piece, ports: readonly Port[]) => NumberedRow[] | Promise<NumberedRow[]>

/** The reader of a format; what a format needs beside is loaded with it. */
export async function readerOf(format: InputFormat, open: OpenRanges): Promise<Reader> {
  if (format === 'parquet') {
    const { ParquetReader } = await import('./parquet.ts')
    const reader = new ParquetReader(open)
    return async ({ body, first }) =>
      (await reader.rows(body as RowRange)).map((row, i) => ({ number: first + i, json: () => row }))
  }
  if (format === 'tfrecord') {
    const { readRecords } = await import('./tfrecord.ts')
    return ({ body, first }) => readRecords(body as Uint8Array, first)
  }
  if (format === 'csv' || format === 'tsv') {
    const { readCsv } = await import('./csv.ts')
    const delimiter = format === 'csv' ? ',' : '\t'
    return ({ body, first, header }, ports) => readCsv(body as Uint8Array, first, header, delimiter, ports)
  }
  return ({ body, first }) => readLines(body as Uint8Array, first)
}
