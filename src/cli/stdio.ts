import { once } from 'node:events'
import { createReadStream, fstatSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { notLines } from '../embed/input/notlines.ts'
import { EXIT, report, UsageError } from './exit.ts'

/** One line of input and where it stands. */
export interface Line {
  /** For messages: `items.jsonl:3`, or `standard input:3`. */
  readonly at: string
  /** @throws {TypeError} where the line is not UTF-8 */
  text(): string
}

const NEWLINE = 10
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The lines of `input` that are not empty, as they come. A line ends at a line feed and nowhere else: JSON may hold U+2028
 * in a string, where node:readline would end the line.
 * @throws {TypeError} where it begins as a file of bytes, gzipped or UTF-16
 */
export async function* linesOf(input: Readable, name: string): AsyncGenerator<Line> {
  let [number, pieces] = [0, [] as Buffer[]]
  const line = (end: Buffer): Line | null => {
    number++
    const bytes = pieces.length === 0 ? end : Buffer.concat([...pieces, end])
    pieces = []
    return isBlank(bytes) ? null : { at: `${name}:${number}`, text: () => decoded(bytes) }
  }
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      const refusal = number === 0 && pieces.length === 0 ? notLines(chunk) : null
      if (refusal !== null) throw new TypeError(`${name}: ${refusal}`)
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        const whole = line(chunk.subarray(start, end))
        start = end + 1
        if (whole !== null) yield whole
      }
      if (start < chunk.length) pieces.push(chunk.subarray(start))
    }
  } catch (error) {
    throw named(error, name)
  }
  const last = line(Buffer.alloc(0))
  if (last !== null) yield last
}

const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 32 || (byte >= 9 && byte <= 13))

function decoded(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new TypeError('the line is not UTF-8; bytes that are no text are written {"b64": "…"}')
  }
}

/** The lines of the files, one after the other; of standard input where there are none, or the file is `-`. */
export async function* readLines(files: readonly string[]): AsyncGenerator<Line> {
  for (const file of files.length === 0 ? ['-'] : files) {
    yield* file === '-' ? linesOf(standardInput(), STANDARD_INPUT) : linesOf(createReadStream(file), file)
  }
}

const STANDARD_INPUT = 'standard input'

/** @throws {Error} where it is a folder, of which Node makes an input without a byte */
export function standardInput(): Readable {
  if (fstatSync(0).isDirectory()) throw isFolder(STANDARD_INPUT)
  return process.stdin
}

/**
 * The text of a whole file, or of standard input for `-`, without a byte order mark.
 * @throws {TypeError} where it is not UTF-8
 */
export async function readText(file: string): Promise<string> {
  const bytes = await (file === '-' ? buffer(standardInput()) : readFile(file)).catch((error: unknown) => {
    throw named(error, file)
  })
  try {
    return utf8.decode(bytes)
  } catch {
    throw new TypeError(`"${file === '-' ? STANDARD_INPUT : file}" is not UTF-8; save it as UTF-8`)
  }
}

/** What Node says of a read of a folder does not name it. */
export const named = (error: unknown, file: string): unknown =>
  (error as NodeJS.ErrnoException).code === 'EISDIR' ? isFolder(file) : error

const isFolder = (name: string): Error =>
  // Of the system, as those that Node throws: it is no format's.
  Object.assign(new Error(`"${name}" is a folder, not a file`), { syscall: 'read' })

/** Writes `text`, or its bytes, and waits where the reader is slow, so that output never piles up in memory. */
export async function write(output: Writable, text: string | Uint8Array): Promise<void> {
  if (output.errored) throw output.errored
  if (!output.write(text)) await once(output, 'drain')
}

/** What goes wrong with `output`, a file at `path`, is thrown where it is next written to, and says which file. */
export function failLater(output: Writable, path: string): void {
  output.on('error', (error) => Object.assign(error, { path }))
}

/** A reader that closes early (`| head`) ends the command quietly; what else keeps it from writing is reported. */
export function endOnClosedPipe(): void {
  for (const output of OUTPUTS) output.on('error', ended)
}

/** What others still ask of it goes on where nobody reads what it says any more: a server whose log has gone still answers. */
export function goOnWithoutReaders(): void {
  for (const output of OUTPUTS) {
    output.off('error', ended)
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') ended(error)
    })
  }
}

const OUTPUTS = [process.stdout, process.stderr]

function ended(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit()
  report(new Error(`standard output cannot be written: ${error.message}`))
  process.exit(EXIT.failed)
}

/** The option --tags as a list. @throws {UsageError} where it is empty */
export function tagsOf(options: { readonly tags?: string }): { readonly tags?: readonly string[] } {
  if (options.tags === undefined) return {}
  const tags = options.tags.split(',').filter((tag) => tag !== '')
  if (tags.length === 0) throw new UsageError('--tags wants a comma-separated list, for example serve,gpu')
  return { tags }
}

/** A share out of an option, over 0 and at most 1. @throws {UsageError} where it is none */
export function shareOf(option: string, value: string): number {
  const share = Number(value)
  if (!(share > 0 && share <= 1))
    throw new UsageError(`${option} wants a share over 0 and at most 1, got ${JSON.stringify(value)}`)
  return share
}

/** A positive integer out of an option. @throws {UsageError} where it is none */
export function countOf(option: string, value: string): number {
  const count = Number(value)
  if (!Number.isSafeInteger(count) || count < 1)
    throw new UsageError(`${option} wants a positive integer, got ${JSON.stringify(value)}`)
  return count
}
