import type { FileHandle } from 'node:fs/promises'
import { builtin } from './builtin.ts'
import { writeBytes } from './nodebytes.ts'

// Asked for, not imported: `twotower/search` leads here, and a bundler for browsers has nothing to resolve.
const { mkdir, open, readFile, rename, rm } = builtin('node:fs').promises
const { dirname } = builtin('node:path')

/** A file that grows at its end, each time to the disk before the promise is kept. */
export class AppendFile {
  private readonly path: string
  private readonly handle: FileHandle
  private length: number
  /** Whether a failure may have left bytes behind those that count. */
  private torn = false

  private constructor(path: string, handle: FileHandle, length: number) {
    this.path = path
    this.handle = handle
    this.length = length
  }

  /** Opens or makes the file at `path` and cuts it to its first `length` bytes. */
  static async open(path: string, length: number): Promise<AppendFile> {
    const handle = await open(path, length === 0 ? 'w' : 'r+')
    await handle.truncate(length)
    return new AppendFile(path, handle, length)
  }

  /** @throws what keeps the bytes from the disk; then none of them count, and the next begin where these began */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.torn) await this.cut()
    try {
      await writeBytes(this.handle, bytes, this.length, this.path)
      await this.handle.datasync()
    } catch (error) {
      this.torn = true
      await this.cut().catch(() => {})
      throw error
    }
    this.length += bytes.length
  }

  private async cut(): Promise<void> {
    await this.handle.truncate(this.length)
    this.torn = false
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

/** Returns when the names in the folder of `path` are on the disk, where the system can say that. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r').catch(() => null)
  await folder?.sync().catch(() => {})
  await folder?.close()
}

/** Makes the folder in which `path` is to lie. */
export const makeFolder = async (path: string): Promise<unknown> => mkdir(dirname(path), { recursive: true })

/** Milliseconds after which a lock that names nobody was left by a kill, and is not about to be written. */
const UNNAMED = 1000

/** A file that says which process writes another; it goes with the process, or is taken over from one that is gone. */
export class Lock {
  private readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** @throws {Error} where another process that still runs holds it */
  static async take(path: string): Promise<Lock> {
    const own = `${process.pid} ${await began(process.pid)}`
    const since = performance.now()
    for (;;) {
      if (await written(path, own)) return new Lock(path)
      const holder = await readFile(path, 'utf8').catch(() => null)
      if (holder === null) continue
      if (await holds(holder)) {
        const [pid] = holder.split(' ')
        throw new Error(`process ${pid} is writing it: wait until it is done, or remove "${path}" where it is not`)
      }
      if (holder !== '' || performance.now() - since > UNNAMED) await setAside(path, holder)
    }
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true })
  }
}

/** Makes the file, where there is none. */
async function written(path: string, text: string): Promise<boolean> {
  const handle = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return null
    throw error
  })
  if (handle === null) return false
  try {
    await handle.writeFile(text)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await handle.close()
  }
  return true
}

/** Whether the process still runs; another that has its number since, as in a container that was started again, does not count. */
async function holds(holder: string): Promise<boolean> {
  const [pid, since = ''] = holder.split(' ')
  if (!(Number(pid) > 0) || !runs(Number(pid))) return false
  const now = await began(Number(pid))
  return since === '' || now === '' || since === now
}

/** When a process began, in the system's ticks; nothing where the system does not say it. */
async function began(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field is the program's name, in parentheses, and may hold any; the 22nd is meant.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** Removes a lock that was left, but not one that another has taken over in the meantime. */
async function setAside(path: string, left: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  if (
    !(await rename(path, aside).then(
      () => true,
      () => false,
    ))
  )
    return
  if ((await readFile(aside, 'utf8')) === left) await rm(aside, { force: true })
  else await rename(aside, path)
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
