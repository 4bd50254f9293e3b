import { type ByteSource, type Folder, readFile } from '../platform/folder.ts'
import type { Datapoint } from '../search/datapoint.ts'
import { datapointsOf, exchangeFormat, type ReadOptions } from './datapoints.ts'

/** How much of a file is read at a time. */
const BLOCK = 1 << 20
const text = new TextDecoder('utf-8', { fatal: true })

/** The update of an index, as Vector Search takes it: a folder of files, and in its folder `delete` files of ids. */
export interface Batch {
  /** The names of the data files, sorted. */
  readonly files: readonly string[]
  /** Ids to be taken out: each line of each file in `delete`. */
  readonly removed: ReadonlySet<string>
  /**
   * What is to be put in, file by file.
   * @throws {RangeError} for an id that is removed too; otherwise as `datapointsOf`
   */
  datapoints(options?: Omit<ReadOptions, 'format'>): AsyncGenerator<Datapoint>
}

/**
 * The batch in `folder`. Names that begin with a dot or an underscore (`_SUCCESS`) are passed over.
 * @throws {RangeError} where there is none, or a file is of no known format
 */
export async function batchOf(folder: Folder): Promise<Batch> {
  const own = (names: readonly string[]) => names.filter((name) => !/^[._]/.test(name))
  const files = own(await folder.list(''))
  const strange = files.find((name) => exchangeFormat(name) === null)
  if (strange !== undefined)
    throw new RangeError(
      `${folder.name}/${strange}: a batch of Vector Search holds files .json, .csv and .avro, and ids to delete in delete/`,
    )
  const deletions = own(await folder.list('delete'))
  if (files.length + deletions.length === 0)
    throw new RangeError(`${folder.name} holds no files .json, .csv or .avro, and none in delete/`)
  const removed = new Set<string>()
  for (const name of deletions) for (const id of await idsOf(folder, `delete/${name}`)) removed.add(id)
  return {
    files,
    removed,
    async *datapoints({ width, bad } = {}) {
      let wide = width
      for (const name of files) {
        const path = `${folder.name}/${name}`
        const source = await folder.open(name)
        if (source === null) throw new RangeError(`${path} is not there any more`)
        try {
          const options = { ...(wide !== undefined && { width: wide }), ...(bad && { bad }) }
          for await (const datapoint of datapointsOf(path, blocksOf(source), options)) {
            wide = datapoint.embedding.length
            if (removed.has(datapoint.id))
              throw new RangeError(
                `${path}: the id ${JSON.stringify(datapoint.id)} is in delete/ too; a batch does one or the other`,
              )
            yield datapoint
          }
        } finally {
          await source.close?.()
        }
      }
    },
  }
}

/** A file from front to back. */
export async function* blocksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.byteLength; at += BLOCK)
    yield await source.slice(at, Math.min(at + BLOCK, source.byteLength))
}

async function idsOf(folder: Folder, path: string): Promise<string[]> {
  const bytes = (await readFile(folder, path)) ?? new Uint8Array(0)
  try {
    const lines = text.decode(bytes).split('\n')
    return lines.map((line) => line.replace(/\r$/, '')).filter((line) => line !== '')
  } catch {
    throw new TypeError(`${folder.name}/${path}: a file of ids must be text in UTF-8`)
  }
}
