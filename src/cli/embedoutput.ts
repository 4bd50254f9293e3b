import { lstat, readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Loaded } from './embedders.ts'
import { outputKind } from './embedformats.ts'
import type { EmbedInput } from './embedinputs.ts'
import { originOf } from './embedorigin.ts'
import { UsageError } from './exit.ts'
import { FileOutput } from './fileoutput.ts'
import { countOf } from './stdio.ts'
import { StreamOutput } from './streamoutput.ts'

/** The options that say where answers go. */
export interface OutputOptions {
  readonly output?: string
  readonly outputFormat?: string
  readonly shardRows?: string
  readonly errors?: string
  readonly resume?: boolean
}

/** What a run is started on. */
interface Start {
  readonly inputs: readonly EmbedInput[]
  readonly tower: string
}

/**
 * Where the answers go: files that are whole or not there, or what is written as it comes.
 * @throws {UsageError} where the options do not go together
 */
export async function openEmbedOutput(
  { output, outputFormat, shardRows, errors, resume = false }: OutputOptions,
  { manifest, deterministic }: Loaded,
  { inputs, tower }: Start,
): Promise<FileOutput | StreamOutput> {
  const kind = outputKind(output, outputFormat)
  const rows = shardRows === undefined ? null : countOf('--shard-rows', shardRows)
  const path = output === '-' ? undefined : output?.replace(/(?<=.)\/+$/, '')
  const there = path === undefined ? null : await lstat(path).catch(() => null)
  if (errors !== undefined && (await lstat(errors).catch(() => null))?.isFile() === false)
    throw new UsageError(`--errors wants a file, and "${errors}" is none`)
  if (path === undefined || (there !== null && !there.isFile() && !there.isDirectory())) {
    if (resume) throw new UsageError('--resume needs -o with a file: what was written must be there to go on with')
    if (rows !== null) throw new UsageError('--shard-rows needs -o with a folder')
    if (kind.layout === 'vectors') throw new UsageError(`${kind.name} is written to a file: name one with -o`)
    return StreamOutput.open(path ?? null, errors ?? null)
  }
  if (rows === null && there?.isDirectory())
    throw new Error(`"${path}" is a folder; choose a file, or files of so many rows in it with --shard-rows`)
  if (rows !== null && there?.isFile()) throw new Error(`"${path}" is a file; --shard-rows writes a folder`)
  if (resume && kind.name === 'parquet' && rows === null)
    throw new UsageError('a Parquet file cannot be gone on with in its middle: use --shard-rows with --resume')
  const options = {
    tower,
    deterministic,
    format: kind.name,
    shards: rows,
    errors: errors === undefined ? null : resolve(errors),
  }
  const origin = resume ? await originOf(await manifest(), inputs, options) : null
  const shards = rows === null ? null : { rows, extension: kind.extension }
  const made = await FileOutput.open({ path, format: await kind.load(), shards, errors: errors ?? null, origin })
  if (there !== null && shards !== null && made.from.at.rows === 0 && (await readdir(path)).some(isShard)) {
    await made.keepNothing()
    throw new Error(`"${path}" holds files of another run; choose an empty or new folder`)
  }
  return made
}

const isShard = (name: string): boolean => /^part-\d+\./.test(name) && !/\.(part|unfinished)$/.test(name)
