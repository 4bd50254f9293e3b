// Folders on disk, for Node, Deno and Bun (all three have node:fs).
import type { FileHandle } from 'node:fs/promises'
import { CorruptModelError } from '../errors.ts'
import { builtin } from './builtin.ts'
import { type ByteSource, checkRange, type Folder, safePath } from './folder.ts'

/** Most bytes that one read call is asked for; Node's own limit is 2 GiB − 1. */
const CHUNK = 2 ** 30

/**
 * The folder at `path` on disk, or at a `file:` address. Files are read by ranges; a symbolic link that leads out of the folder is refused.
 * @throws {RangeError} where it is missing or is not a folder
 */
export function nodeFolder(source: string | URL): Folder {
  const { realpathSync, statSync, promises } = builtin('node:fs')
  const { open, readdir, realpath, stat } = promises
  const { join, sep } = builtin('node:path')
  const path = typeof source === 'string' ? source : builtin('node:url').fileURLToPath(source)
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) throw new RangeError(`there is no folder at ${JSON.stringify(path)}`)
  if (!status.isDirectory()) {
    throw new RangeError(`${JSON.stringify(path)} is a file; give the folder that holds it`)
  }
  const root = realpathSync(path)

  /** The real path of `file`, links followed; null where nothing is there. */
  async function inside(file: string): Promise<string | null> {
    const real = await orNull(realpath(join(root, safePath(file))))
    if (real !== null && real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw new RangeError(
        `${JSON.stringify(file)} is a link that leaves the folder ${JSON.stringify(path)}; copy the folder with its links followed (cp -rL)`,
      )
    }
    return real
  }

  return {
    name: path,
    async open(file) {
      const real = await inside(file)
      // Asked before opening, because opening a pipe would wait for a writer.
      if (real === null || !(await stat(real)).isFile()) return null
      return fileSource(await open(real), file)
    },
    async list(folder) {
      const real = await inside(folder)
      const names = real === null ? null : await orNull(readdir(real, { withFileTypes: true }))
      return (names ?? [])
        .filter((entry) => entry.isFile() || entry.isSymbolicLink())
        .map((entry) => entry.name)
        .sort()
    },
  }
}

async function fileSource(handle: FileHandle, file: string): Promise<ByteSource> {
  const byteLength = (await handle.stat()).size
  return {
    byteLength,
    async slice(start, end) {
      checkRange(start, end, byteLength)
      const bytes = new Uint8Array(end - start)
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, done, Math.min(CHUNK, bytes.length - done), start + done)
        if (bytesRead === 0) {
          throw new CorruptModelError(
            file,
            `ended at byte ${start + done} of ${byteLength}: it changed while being read`,
          )
        }
        done += bytesRead
      }
      return bytes
    },
    close: () => handle.close(),
  }
}

/** What `work` gives, or null where it fails because the path does not exist. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}
