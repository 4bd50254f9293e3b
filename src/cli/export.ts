import { basename } from 'node:path'
import { compileKernels } from '../engine/variants.ts'
import type { ExportFormat } from '../exchange/export.ts'
import { PartFile } from '../platform/nodepart.ts'
import { ItemIndex } from '../search/itemindex.ts'
import { UsageError } from './exit.ts'
import { Progress } from './progress.ts'
import { unfinishedName } from './unfinished.ts'

export interface ExportOptions {
  readonly output: string
  readonly format?: string
  readonly table?: string
}

interface Kind {
  /** What a file's name ends with. */
  readonly extension: string
  load(): Promise<ExportFormat>
}

const vectorSearch = () => import('../exchange/vectorsearch.ts')

const KINDS: Readonly<Record<string, Kind>> = {
  pgvector: { extension: '.sql', load: async () => (await import('../exchange/pgvector.ts')).PGVECTOR },
  parquet: { extension: '.parquet', load: async () => (await import('../exchange/parquet.ts')).PARQUET },
  npy: { extension: '.npy', load: async () => (await import('../exchange/npy.ts')).NPY },
  faiss: { extension: '.faiss', load: async () => (await import('../exchange/faiss.ts')).FAISS },
  'vector-search-json': { extension: '.json', load: async () => (await vectorSearch()).JSON_LINES },
  'vector-search-csv': { extension: '.csv', load: async () => (await vectorSearch()).CSV },
  'vector-search-avro': { extension: '.avro', load: async () => (await vectorSearch()).avro() },
}

/** Writes the items of an index in another's format: whole files, or none. */
export async function exportItems(file: string, { output, format, table }: ExportOptions): Promise<void> {
  const kind = kindOf(output, format)
  if (table !== undefined && kind !== KINDS.pgvector) throw new UsageError('--table is for --format pgvector')
  const index = await ItemIndex.open(file, { kernels: await compileKernels() })
  if (index.size === 0) throw new RangeError(`there is no item in ${file}: nothing is written`)
  const exported = await kind.load()
  const files: PartFile[] = []
  const progress = new Progress('items')
  try {
    for (const path of exported.paths(output)) files.push(await PartFile.open(path, unfinishedName(path)))
    const { size, width, similarity } = index
    const name = table ?? basename(output).replace(/\.[^.]*$/, '')
    const sink = exported.sink(files, { size, width, similarity, name })
    for (const datapoint of index.datapoints()) {
      await sink.write(datapoint)
      progress.step()
    }
    await sink.end()
    for (const part of files) await part.sync()
  } catch (error) {
    for (const part of files) await part.discard()
    throw Object.assign(error as Error, {
      message: `${(error as Error).message}: "${output}" is not written, what was there before is as it was`,
    })
  } finally {
    progress.stop()
  }
  for (const part of files) {
    await part.close()
    await part.keep()
  }
  process.stderr.write(`${index.size.toLocaleString('en')} items in ${files.map(({ path }) => path).join(' and ')}\n`)
}

/** @throws {UsageError} where there is no such format */
function kindOf(output: string, format: string | undefined): Kind {
  const found =
    format === undefined
      ? Object.values(KINDS).find(({ extension }) => output.toLowerCase().endsWith(extension))
      : Object.hasOwn(KINDS, format)
        ? KINDS[format]
        : undefined
  if (found !== undefined) return found
  const known = Object.entries(KINDS).map(([name, { extension }]) => `${name} (${extension})`)
  throw new UsageError(`--format must be ${known.join(', ')}, got ${JSON.stringify(format ?? output)}`)
}
