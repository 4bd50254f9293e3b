import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { InputFormat } from '../embed/piece.ts'
import { inputFormat } from './embedformats.ts'
import { UsageError } from './exit.ts'

/** A file of rows, or standard input. */
export interface EmbedInput {
  /** Its path, or `-`. */
  readonly file: string
  /** What it is called in messages. */
  readonly name: string
  readonly format: InputFormat
  /** Its size where it has one, for a forecast of when all is done. */
  readonly bytes: number | null
}

/** One of several machines' share of the files: those whose number, from 0, is `index` modulo `count`. */
export interface Share {
  readonly index: number
  readonly count: number
}

/** `3/16`: the fourth of sixteen shares. @throws {UsageError} where it is none */
export function shareOf(text: string): Share {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? []
  if (index === undefined || index >= count)
    throw new UsageError(`--part wants INDEX/COUNT, the index from 0 up to count - 1, got ${JSON.stringify(text)}`)
  return { index, count }
}

/**
 * The inputs that `files` name: a pattern (`rows-*.csv`) stands for the files that it fits, in the order of their names, where
 * there is no file of the very name.
 * @param share takes a part of them; what comes from a pipe has no parts
 * @throws {UsageError} where no file fits a pattern, or Parquet is to come from a pipe
 */
export async function inputsOf(
  files: readonly string[],
  format: string | undefined,
  share: Share | null = null,
): Promise<EmbedInput[]> {
  const found: string[] = []
  for (const file of files.length === 0 ? ['-'] : files)
    found.push(...(/[*?[{]/.test(file) && !existsSync(file) ? await fitting(file) : [file]))
  if (share !== null && found.includes('-'))
    throw new UsageError('--part takes files apart, and standard input is none: name files')
  const own = share === null ? found : found.filter((_, i) => i % share.count === share.index)
  return Promise.all(
    own.map(async (file) => {
      const there = file === '-' ? null : await stat(file).catch(() => null)
      const input = {
        file,
        name: file === '-' ? 'standard input' : file,
        format: inputFormat(file, format),
        bytes: there?.isFile() ? there.size : null,
      }
      if (input.format === 'parquet' && input.bytes === null && (file === '-' || there !== null))
        throw new UsageError(
          `Parquet is read from files, not from ${input.name}: what says where its rows lie stands at the end`,
        )
      return input
    }),
  )
}

async function fitting(pattern: string): Promise<string[]> {
  const { glob } = await import('tinyglobby')
  const files = (await glob(pattern, { expandDirectories: false, dot: false })).sort()
  if (files.length === 0) throw new UsageError(`no file fits ${JSON.stringify(pattern)}`)
  return files
}
