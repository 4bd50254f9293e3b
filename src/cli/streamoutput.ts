import { open } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Answer } from '../embed/piece.ts'
import { PartFile } from '../platform/nodepart.ts'
import { reportBadRows } from './badrows.ts'
import { failLater, write } from './stdio.ts'
import { unfinishedName } from './unfinished.ts'

/** Standard output, or what is no file of its own: a device, a pipe or a link (/dev/stdout), written as it comes. */
export class StreamOutput {
  readonly shardRows = Infinity
  private readonly stream: Writable
  private readonly errors: PartFile | null

  private constructor(stream: Writable, errors: PartFile | null) {
    this.stream = stream
    this.errors = errors
  }

  /** @param errors the file of bad rows, where there is one */
  static async open(path: string | null, errors: string | null): Promise<StreamOutput> {
    const stream = path === null ? process.stdout : (await open(path, 'w')).createWriteStream()
    // Standard output has a listener of its own.
    if (path !== null) failLater(stream, path)
    const file = errors === null ? null : await PartFile.open(errors, unfinishedName(errors))
    return new StreamOutput(stream, file)
  }

  async write({ text, errors }: Answer): Promise<void> {
    await write(this.stream, text)
    if (this.errors === null) reportBadRows(errors)
    else await this.errors.append(errors)
  }

  async keep(): Promise<void> {
    await this.errors?.close()
    await this.errors?.keep()
    if (this.stream === process.stdout) return
    this.stream.end()
    await finished(this.stream)
  }

  async leave(): Promise<void> {
    await this.errors?.discard()
    if (this.stream !== process.stdout) this.stream.destroy()
  }
}
