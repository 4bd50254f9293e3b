import { type Reader, readerOf } from '../embed/input/reader.ts'
import { FRESH } from '../embed/journal.ts'
import type { InputFormat } from '../embed/piece.ts'
import type { InteractionRow } from '../evaluate/interactions.ts'
import type { Port } from '../graph/index.ts'
import { openRanges } from '../platform/noderanges.ts'
import { inputsOf } from './embedinputs.ts'
import { piecesOf } from './pieces.ts'

/** Rows that are decoded at once. */
const BATCH = 256
/** A query may be an embedding instead of features: of CSV a list as JSON. */
const EMBEDDING: Port = { name: 'embedding', dtype: 'float32', shape: [null, null] }

/**
 * The rows of files in any format that `embed` reads, one file after the other.
 * @param ports the features, by which cells of CSV are read
 */
export async function* interactionRows(
  files: readonly string[],
  ports: readonly Port[],
): AsyncGenerator<InteractionRow> {
  const readers = new Map<InputFormat, Reader>()
  const taking = { batch: BATCH, shard: Infinity, columns: null }
  for await (const { piece } of piecesOf(await inputsOf(files, undefined), taking, FRESH.at)) {
    const { name, format } = piece
    const reader = readers.get(format) ?? (await readerOf(format, async (path) => openRanges(path)))
    readers.set(format, reader)
    for (const { number, json } of await reader(piece, [...ports, EMBEDDING])) yield { at: `${name}:${number}`, json }
  }
}
