import { stat } from 'node:fs/promises'
import { type Batch, batchOf, blocksOf } from '../exchange/batch.ts'
import { datapointsOf } from '../exchange/datapoints.ts'
import { folderAt } from '../platform/open.ts'
import type { Datapoint } from '../search/datapoint.ts'

/** The format of Vector Search's files, each as its name ends, and of folders of them. */
export const VECTOR_SEARCH = 'vector-search'

interface ReadingThem {
  /** Numbers of a vector; by default those of the first. */
  readonly width?: number
  /** Told of an item that is left out, and why. */
  bad(problem: string): void
}

/** The items of Vector Search's files, or of a folder, which is a batch of them. */
export async function* vectorSearchItems(path: string, reading: ReadingThem): AsyncGenerator<Datapoint> {
  const batch = await batchAt(path)
  if (batch !== null) yield* batch.datapoints(reading)
  else {
    const cut = path.lastIndexOf('/') + 1
    const source = await (await folderAt(path.slice(0, cut) || '.')).open(path.slice(cut))
    if (source === null) throw new RangeError(`there is no file ${JSON.stringify(path)}`)
    try {
      yield* datapointsOf(path, blocksOf(source), reading)
    } finally {
      await source.close?.()
    }
  }
}

/** The ids that the batches among `paths` delete. */
export async function deletedIn(paths: readonly string[]): Promise<string[]> {
  const batches = await Promise.all(paths.map(batchAt))
  return batches.flatMap((batch) => [...(batch?.removed ?? [])])
}

async function batchAt(path: string): Promise<Batch | null> {
  const folder = (await stat(path).catch(() => null))?.isDirectory() ?? false
  return folder ? batchOf(await folderAt(path)) : null
}
