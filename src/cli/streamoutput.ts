import { open } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Answer } from '../embed/piece.ts'
import { write } from './stdio.ts'

/** Standard output, or what is no file of its own: a device, a pipe or a link (/dev/stdout), written as it comes. */
export class StreamOutput {
  private readonly stream: Writable

  private constructor(stream: Writable) {
    this.stream = stream
  }

  static async open(path: string | null): Promise<StreamOutput> {
    if (path === null) return new StreamOutput(process.stdout)
    const stream = (await open(path, 'w')).createWriteStream()
    // What goes wrong is thrown where it is next written to.
    stream.on('error', () => {})
    return new StreamOutput(stream)
  }

  write({ text }: Answer): Promise<void> {
    return write(this.stream, text)
  }

  async keep(): Promise<void> {
    if (this.stream === process.stdout) return
    this.stream.end()
    await finished(this.stream)
  }

  async leave(): Promise<void> {
    if (this.stream !== process.stdout) this.stream.destroy()
  }
}
