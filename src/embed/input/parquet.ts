import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import type { Json } from '../../serve/json.ts'

/** Rows that are decoded at once, whatever the file's row groups are. */
const STRETCH = 8192

/** Rows out of a Parquet file, with the place of the row after them. */
export interface ParquetCut {
  readonly rows: readonly Json[]
  readonly next: number
}

/**
 * Reads the rows of a Parquet file from row `from` on, few at a time. A null is no value.
 * @param columns the columns that are wanted; null for all
 * @param most how many rows the next cut may have
 */
export async function* cutParquet(
  file: AsyncBuffer,
  from: number,
  columns: readonly string[] | null,
  most: () => number,
): AsyncGenerator<ParquetCut> {
  const held = remembering(file)
  const metadata = await parquetMetadataAsync(held)
  const there = new Set(metadata.schema.filter((_, i) => i > 0).map(({ name }) => name))
  const wanted = columns?.filter((name) => there.has(name))
  const count = Number(metadata.num_rows)
  let group = 0
  let groupEnd = 0
  for (let start = from; start < count; ) {
    while (groupEnd <= start) {
      groupEnd += Number(metadata.row_groups[group++].num_rows)
      held.forget()
    }
    const end = Math.min(groupEnd, start + STRETCH)
    const rows = await parquetReadObjects({
      file: held,
      metadata,
      rowStart: start,
      rowEnd: end,
      ...(wanted === undefined ? {} : { columns: wanted }),
    })
    for (let at = 0; at < rows.length; ) {
      const part = rows.slice(at, at + most())
      at += part.length
      yield { rows: part.map(jsonOf), next: start + at }
    }
    start = end
  }
}

/** `file` with what was read of a row group kept in memory: its stretches need the same bytes again. */
function remembering(file: AsyncBuffer): AsyncBuffer & { forget(): void } {
  const known = new Map<string, Promise<ArrayBuffer>>()
  return {
    byteLength: file.byteLength,
    slice(start, end) {
      const key = `${start}-${end}`
      const bytes = known.get(key) ?? Promise.resolve(file.slice(start, end))
      known.set(key, bytes)
      return bytes
    },
    forget: () => known.clear(),
  }
}

function jsonOf(value: unknown): Json {
  if (Array.isArray(value)) return value.map(jsonOf)
  if (ArrayBuffer.isView(value))
    return value instanceof Uint8Array ? { b64: base64(value) } : Array.from(value as unknown as ArrayLike<number>)
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (value === null || typeof value !== 'object') return (value ?? null) as Json
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name, jsonOf(member)]))
}

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
