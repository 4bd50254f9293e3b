import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { UsageError } from './exit.ts'

/** One line of input and where it stands. */
export interface Line {
  readonly text: string
  /** For messages: `items.jsonl:3`, or `standard input:3`. */
  readonly at: string
}

/** The lines of `input` that are not empty, as they come. */
export async function* linesOf(input: Readable, name: string): AsyncGenerator<Line> {
  let number = 0
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (text.trim() !== '') yield { text, at: `${name}:${number}` }
  }
}

/** The lines of the files, one after the other; of standard input where there are none, or the file is `-`. */
export async function* readLines(files: readonly string[]): AsyncGenerator<Line> {
  for (const file of files.length === 0 ? ['-'] : files) {
    yield* file === '-' ? linesOf(process.stdin, 'standard input') : linesOf(createReadStream(file), file)
  }
}

/** Writes `text` and waits where the reader is slow, so that output never piles up in memory. */
export async function write(output: Writable, text: string): Promise<void> {
  if (output.write(text)) return
  await new Promise<void>((resolve) => output.once('drain', resolve))
}

/** A reader that closes early (`| head`) ends the command quietly. */
export function endOnClosedPipe(output: Writable = process.stdout): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode)
    throw error
  })
}

/** The option --tags as a list. @throws {UsageError} where it is empty */
export function tagsOf(options: { readonly tags?: string }): { readonly tags?: readonly string[] } {
  if (options.tags === undefined) return {}
  const tags = options.tags.split(',').filter((tag) => tag !== '')
  if (tags.length === 0) throw new UsageError('--tags wants a comma-separated list, for example serve,gpu')
  return { tags }
}

/** A positive integer out of an option. @throws {UsageError} where it is none */
export function countOf(option: string, value: string): number {
  const count = Number(value)
  if (!Number.isSafeInteger(count) || count < 1)
    throw new UsageError(`${option} wants a positive integer, got ${JSON.stringify(value)}`)
  return count
}
