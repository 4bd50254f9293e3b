import { readerOf } from '../embed/input/reader.ts'
import { START } from '../embed/journal.ts'
import { idOf } from '../embed/output/layout.ts'
import type { InputFormat } from '../embed/piece.ts'
import { type InputRow, RowEmbedder } from '../embed/row.ts'
import type { Model } from '../engine/model.ts'
import { openRanges } from '../platform/noderanges.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { attributesIn } from '../search/filterjson.ts'
import { checkItem } from '../search/item.ts'
import type { Members } from '../serve/values.ts'
import { inputsOf } from './embedinputs.ts'
import { piecesOf } from './pieces.ts'
import { Progress } from './progress.ts'
import { VECTOR_SEARCH, vectorSearchItems } from './vectorsearchitems.ts'

export interface ReadingItems {
  /** Rows that are embedded together. */
  readonly batch: number
  /** Of the files; by default as their names end. */
  readonly format?: string | undefined
  /** Numbers of a vector; by default those of the first. */
  readonly width?: number | undefined
  /** Told of an item that is left out, and why. */
  bad(problem: string): void
  /** Told of each item before it is given: its file, and the row where it stands, null in files that are no rows. */
  found?(file: string, row: number | null): void
}

/**
 * The items of files, in whatever format embed reads or Vector Search does: each with its embedding, which the candidate tower makes where the
 * row does not hold one, and with its restricts, numeric restricts and crowding tag in Vector Search's names.
 * @param model null where all rows hold their embeddings
 */
export async function* datapointsIn(
  model: Model | null,
  files: readonly string[],
  reading: ReadingItems,
): AsyncGenerator<Datapoint> {
  let { width } = reading
  for (const file of files) {
    const own = { ...reading, width }
    for await (const datapoint of (await otherThanRows(file, own)) ?? rowsIn(model, [file], own)) {
      width ??= datapoint.embedding.length
      yield datapoint
    }
  }
}

/** The items of a file that holds no rows; null where it does. */
async function otherThanRows(file: string, reading: ReadingItems): Promise<AsyncIterable<Datapoint> | null> {
  const { format, width, bad } = reading
  if (format === VECTOR_SEARCH || (format === undefined && /\.avro$/i.test(file)))
    return told(file, vectorSearchItems(file, { bad, ...(width !== undefined && { width }) }), reading)
  if (format !== undefined || !/\.npy$/i.test(file)) return null
  return told(file, (await import('./npyitems.ts')).npyItems(file, width), reading)
}

async function* told(
  file: string,
  items: AsyncIterable<Datapoint>,
  { found }: ReadingItems,
): AsyncGenerator<Datapoint> {
  for await (const item of items) {
    found?.(file, null)
    yield item
  }
}

async function* rowsIn(
  model: Model | null,
  files: readonly string[],
  { batch, format, width: known, bad, found: tell }: ReadingItems,
): AsyncGenerator<Datapoint> {
  const inputs = await inputsOf(files, format)
  const formats = [...new Set(inputs.map((input) => input.format))]
  const reader = async (of: InputFormat) => [of, await readerOf(of, async (path) => openRanges(path))] as const
  const readers = new Map(await Promise.all(formats.map(reader)))
  const embedder = new RowEmbedder(model, 'candidate')
  const ports = model === null || model.structure.candidate === null ? [] : model.candidate.features
  const progress = new Progress('items')
  let width = known
  try {
    const taking = { batch, shard: Infinity, columns: null }
    for await (const { piece } of piecesOf(inputs, taking, START)) {
      const read = await (readers.get(piece.format) as NonNullable<ReturnType<typeof readers.get>>)(piece, ports)
      const rows = read.map((row) => embedder.row(row.json))
      for (const [i, found] of embedder.embed(rows).entries()) {
        progress.step()
        const at = `${piece.name}:${read[i].number}`
        let datapoint: Datapoint
        try {
          datapoint = datapointOf(rows[i], found, width)
        } catch (error) {
          bad(`${at}: ${(error as Error).message}`)
          continue
        }
        width ??= datapoint.embedding.length
        tell?.(piece.name, read[i].number)
        yield datapoint
      }
    }
  } finally {
    progress.stop()
  }
}

function datapointOf({ name, json }: InputRow, found: Float32Array | string, width: number | undefined): Datapoint {
  if (typeof found === 'string') throw new RangeError(found)
  const id = idOf(name)
  if (id === null) throw new RangeError('the item has no "id"')
  if (width !== undefined && found.length !== width)
    throw new RangeError(`the embedding has ${found.length} dimensions, the others have ${width}`)
  const datapoint = { id, embedding: found, ...attributesIn((json ?? {}) as Members) }
  checkItem(datapoint, found.length)
  return datapoint
}
