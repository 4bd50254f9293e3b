import type { FileHandle } from 'node:fs/promises'
import { builtin } from './builtin.ts'

// Asked for, not imported: `twotower/search` leads here, and a bundler for browsers has nothing to resolve.
const { open, readFile, rm } = builtin('node:fs').promises

/** A file that grows at its end, each time to the disk before the promise is kept. */
export class AppendFile {
  private readonly handle: FileHandle
  private length: number

  private constructor(handle: FileHandle, length: number) {
    this.handle = handle
    this.length = length
  }

  /** Opens or makes the file at `path` and cuts it to its first `length` bytes. */
  static async open(path: string, length: number): Promise<AppendFile> {
    const handle = await open(path, length === 0 ? 'w' : 'r+')
    await handle.truncate(length)
    return new AppendFile(handle, length)
  }

  /** @throws what keeps the bytes from the disk; then none of them count, and the next begin where these began */
  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; )
      done += (await this.handle.write(bytes, done, bytes.length - done, this.length + done)).bytesWritten
    await this.handle.datasync()
    this.length += bytes.length
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

/** The bytes of the file at `path`; null where there is none. */
export async function bytesAt(path: string): Promise<Uint8Array | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

/** Removes the file at `path`, where there is one. */
export const removeAt = (path: string): Promise<void> => rm(path, { force: true })

/** A file that says which process writes another; it goes with the process, or is taken over from one that is gone. */
export class Lock {
  private readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @throws {Error} where another process that still runs holds it */
  static async take(path: string): Promise<Lock> {
    for (;;) {
      try {
        const handle = await open(path, 'wx')
        await handle.writeFile(String(process.pid))
        await handle.close()
        return new Lock(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = Number(await readFile(path, 'utf8').catch(() => ''))
      if (holder > 0 && runs(holder))
        throw new Error(`process ${holder} is writing it: wait until it is done, or remove "${path}" where it is not`)
      await rm(path, { force: true })
    }
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true })
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
