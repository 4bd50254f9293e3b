import { csvEnds } from '../embed/input/csv.ts'
import { countLines, cutRows, LINES } from '../embed/input/cut.ts'
import { readLines } from '../embed/input/jsonl.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { datapointOf } from './datapointjson.ts'

/** The formats of Vector Search's files. */
export type ExchangeFormat = 'json' | 'csv' | 'avro'

/** The format that a file's name ends with, or null. `.jsonl`, which Vector Search does not know, is JSON too. */
export function exchangeFormat(name: string): ExchangeFormat | null {
  const [, extension = ''] = /\.([^./\\]*)$/.exec(name.toLowerCase()) ?? []
  if (extension === 'json' || extension === 'jsonl') return 'json'
  return extension === 'csv' || extension === 'avro' ? extension : null
}

export interface ReadOptions {
  /** By default as the name ends. */
  readonly format?: ExchangeFormat
  /** Numbers of a vector; by default those of the first. */
  readonly width?: number
  /** Told of a record that is left out, and why; without it the first one ends the reading. Damage of Avro always does. */
  readonly bad?: (problem: string) => void
}

/** Lines that are decoded at once. */
const TOGETHER = 256

/**
 * The datapoints of a file of Vector Search's, which comes in blocks of any size; a few records of it are held.
 * @param name of the file, for its format and for messages
 * @throws {Error} that names the file and the record, where one is malformed or of another width than the first
 */
export async function* datapointsOf(
  name: string,
  blocks: AsyncIterable<Uint8Array>,
  { format = exchangeFormat(name) ?? undefined, width, bad }: ReadOptions = {},
): AsyncGenerator<Datapoint> {
  if (format === undefined)
    throw new RangeError(`${name}: the name of a file of Vector Search ends in .json, .csv or .avro`)
  let wide = width
  const records = RECORDS[format](blocks)
  for (;;) {
    let next: IteratorResult<Numbered>
    try {
      next = await records.next()
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error })
    }
    if (next.done === true) return
    const { number, read } = next.value
    let datapoint: Datapoint
    try {
      datapoint = read()
      wide ??= datapoint.embedding.length
      if (datapoint.embedding.length !== wide)
        throw new RangeError(
          `the embedding of ${JSON.stringify(datapoint.id)} has ${datapoint.embedding.length} dimensions, the ones before have ${wide}`,
        )
    } catch (error) {
      const problem = `${name}:${number}: ${(error as Error).message}`
      if (bad === undefined) throw new Error(problem, { cause: error })
      bad(problem)
      continue
    }
    yield datapoint
  }
}

/** A record and the number of its line, or in Avro its own, from 1. */
interface Numbered {
  readonly number: number
  read(): Datapoint
}

const RECORDS: Readonly<Record<ExchangeFormat, (blocks: AsyncIterable<Uint8Array>) => AsyncGenerator<Numbered>>> = {
  async *json(blocks) {
    let first = 1
    for await (const { bytes } of cutRows(blocks, LINES, () => TOGETHER)) {
      for (const { number, json } of readLines(bytes, first)) yield { number, read: () => datapointOf(json()) }
      first += countLines(bytes)
    }
  },
  async *csv(blocks) {
    const { datapointOfRow } = await import('./datapointcsv.ts')
    let number = 1
    for await (const { bytes } of cutRows(blocks, csvEnds(','), () => 1)) {
      const at = number
      number += countLines(bytes)
      if (bytes.some((byte) => byte > SPACE)) yield { number: at, read: () => datapointOfRow(bytes) }
    }
  },
  async *avro(blocks) {
    const { readAvro } = await import('./avro/container.ts')
    for await (const { number, json } of readAvro(blocks)) yield { number, read: () => datapointOf(json) }
  },
}

/** A row of nothing above it is blank. */
const SPACE = 32
