import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet'
import type { Json } from '../../json/parse.ts'
import { utf8 } from '../../tensor/index.ts'
import type { RowRange } from '../piece.ts'

/** Rows that are decoded at once, whatever the file's row groups are. */
const STRETCH = 8192
/** The letters at both ends, and between them how long its metadata is. */
const LEAST_BYTES = 12

/**
 * The stretches of a Parquet file's rows from row `from` on; none holds rows of two row groups.
 * @param most how many rows the next one may have
 * @throws {RangeError} where it is no Parquet file
 */
export async function* parquetStretches(
  file: AsyncBuffer,
  from: number,
  most: () => number,
): AsyncGenerator<{ readonly start: number; readonly end: number }> {
  if (file.byteLength < LEAST_BYTES)
    throw new RangeError(`it is no Parquet file: it has ${file.byteLength} bytes, the shortest has ${LEAST_BYTES}`)
  const { row_groups } = await parquetMetadataAsync(file)
  let groupEnd = 0
  let start = from
  for (const { num_rows } of row_groups) {
    groupEnd += Number(num_rows)
    while (start < groupEnd) {
      const end = Math.min(groupEnd, start + Math.min(STRETCH, most()))
      yield { start, end }
      start = end
    }
  }
}

/** Opens a file to be read by ranges. */
export type OpenRanges = (path: string) => Promise<AsyncBuffer>

/** Reads stretches of Parquet files, each file one after the other. */
export class ParquetReader {
  private readonly open: OpenRanges
  private path: string | null = null
  private file: Remembered | null = null
  private metadata: FileMetaData | null = null
  private group = -1

  constructor(open: OpenRanges) {
    this.open = open
  }

  /** The rows of `range` as JSON has them; a null is no value. @throws {Error} that names the file, where it is damaged */
  async rows(range: RowRange): Promise<Json[]> {
    try {
      return await this.read(range)
    } catch (error) {
      throw new Error(`${range.path}: ${(error as Error).message}`)
    }
  }

  private async read({ path, start, end, columns }: RowRange): Promise<Json[]> {
    if (path !== this.path || this.file === null || this.metadata === null) {
      this.file = remembering(await this.open(path))
      this.metadata = await parquetMetadataAsync(this.file)
      this.path = path
      this.group = -1
    }
    const { file, metadata } = this
    const group = groupOf(metadata, start)
    // Stretches of a group need the same bytes again, those of another do not.
    if (group !== this.group) file.forget()
    this.group = group
    const there = new Set(metadata.schema.slice(1).map(({ name }) => name))
    const wanted = columns === null ? {} : { columns: columns.filter((name) => there.has(name)) }
    const range = { rowStart: start, rowEnd: end, ...wanted }
    const options = { file, metadata, ...range, parsers: PARSERS, ...(await compressorsOf(metadata)) }
    const rows = await parquetReadObjects(options)
    return rows.map(jsonOf)
  }
}

/** Text as it is, a byte order mark with it, as TensorFlow takes it; what is none stays bytes. */
const PARSERS = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && (utf8(bytes) ?? bytes) }

/** What hyparquet itself knows. */
const KNOWN = ['UNCOMPRESSED', 'SNAPPY']

/** The other codecs, where a file has one: zstd, gzip, brotli and LZ4. */
async function compressorsOf({ row_groups }: FileMetaData): Promise<{ readonly compressors?: Compressors }> {
  const codecs = row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.codec))
  if (codecs.every((codec) => codec === undefined || KNOWN.includes(codec))) return {}
  const { compressors } = await import('hyparquet-compressors')
  // A page of nothing, as of lists that are all empty, is a block of LZ4 that its decompressor does not take.
  const each = Object.entries(compressors).map(([codec, decompress]) => [
    codec,
    (input: Uint8Array, length: number) => (length === 0 ? new Uint8Array(0) : decompress(input, length)),
  ])
  return { compressors: Object.fromEntries(each) }
}

function groupOf({ row_groups }: FileMetaData, row: number): number {
  let end = 0
  return row_groups.findIndex(({ num_rows }) => {
    end += Number(num_rows)
    return row < end
  })
}

/** A file that keeps what was read of it. */
interface Remembered extends AsyncBuffer {
  forget(): void
}

function remembering(file: AsyncBuffer): Remembered {
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
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
    return (value ?? null) as Json
  }
  if (Array.isArray(value)) return value.map(jsonOf)
  if (ArrayBuffer.isView(value))
    return value instanceof Uint8Array ? { b64: base64(value) } : Array.from(value as unknown as ArrayLike<number>)
  if (value instanceof Date) return value.toISOString()
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => [name, jsonOf(member)]))
}

const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
