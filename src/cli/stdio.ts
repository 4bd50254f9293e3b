import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { UsageError } from './exit.ts'

/** The lines of `input`, as they come. */
export const lines = (input: Readable): AsyncIterable<string> =>
  createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })

/** Writes `text` and waits where the reader is slow, so that output never piles up in memory. */
export async function write(output: Writable, text: string): Promise<void> {
  if (output.write(text)) return
  await new Promise<void>((resolve) => output.once('drain', resolve))
}

/** The option --tags as a list. @throws {UsageError} where it is empty */
export function tagsOf(options: { readonly tags?: string }): { readonly tags?: readonly string[] } {
  if (options.tags === undefined) return {}
  const tags = options.tags.split(',').filter((tag) => tag !== '')
  if (tags.length === 0) throw new UsageError('--tags wants a comma-separated list, for example serve,gpu')
  return { tags }
}
