import type { FileHandle } from 'node:fs/promises'
import { builtin } from './builtin.ts'
import { writeBytes } from './nodebytes.ts'

// Asked for, not imported: `twotower/search` leads here, and a bundler for browsers has nothing to resolve.
const { mkdir, open, rename, rm, stat } = builtin('node:fs').promises
const { dirname } = builtin('node:path')

/** A file under another name until it is whole: bytes are appended, and those at its beginning may be replaced. */
export class PartFile {
  readonly path: string
  private readonly unfinished: string
  private readonly handle: FileHandle
  private written: number

  private constructor(path: string, unfinished: string, handle: FileHandle, written: number) {
    this.path = path
    this.unfinished = unfinished
    this.handle = handle
    this.written = written
  }

  /**
   * Opens `unfinished`, which is to become `path`, and cuts it to its first `size` bytes.
   * @throws {Error} where it has fewer
   */
  static async open(path: string, unfinished: string, size = 0): Promise<PartFile> {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(unfinished, size === 0 ? 'w' : 'r+')
    const there = (await handle.stat()).size
    if (there < size) {
      await handle.close()
      throw new Error(`"${unfinished}" has ${there} bytes, ${size} were written: it cannot be gone on with; remove it`)
    }
    await handle.truncate(size)
    return new PartFile(path, unfinished, handle, size)
  }

  /** How many bytes it has. */
  get size(): number {
    return this.written
  }

  async append(bytes: Uint8Array): Promise<void> {
    await writeBytes(this.handle, bytes, this.written, this.unfinished)
    this.written += bytes.length
  }

  /** Writes over the bytes that are at its beginning. */
  replace(bytes: Uint8Array): Promise<void> {
    return writeBytes(this.handle, bytes, 0, this.unfinished)
  }

  /** Returns when all that was written is on the disk. */
  async sync(): Promise<void> {
    await this.handle.datasync()
  }

  close(): Promise<void> {
    return this.handle.close()
  }

  /** Gives the closed file its name. */
  keep(): Promise<void> {
    return keepPart(this.path, this.unfinished)
  }

  async discard(): Promise<void> {
    await this.handle.close()
    await rm(this.unfinished, { force: true })
  }
}

/** Gives `unfinished` the name `path`, where that was not done before. */
export async function keepPart(path: string, unfinished: string): Promise<void> {
  if ((await stat(unfinished).catch(() => null)) !== null) await rename(unfinished, path)
}
