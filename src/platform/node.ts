// Folders on disk, for Node, Deno and Bun (all three have node:fs).
import { CorruptModelError } from '../errors.ts'
import { builtin } from './builtin.ts'
import { type ByteSource, checkRange, type Folder, safePath } from './folder.ts'

/** Most bytes that one read call is asked for; Node's own limit is 2 GiB − 1. */
const CHUNK = 2 ** 30

/**
 * What is read at once, by this thread: at most some milliseconds, where handing each step to another thread and waiting
 * takes a process that starts as long as all else that it does to open a model.
 */
const AT_ONCE = 2 ** 24

/**
 * The folder at `path` on disk, or at a `file:` address. Files are read by ranges; a symbolic link that leads out of the folder is refused.
 * @throws {RangeError} where it is missing or is not a folder
 */
export function nodeFolder(source: string | URL): Folder {
  const { readdirSync, realpathSync, statSync } = builtin('node:fs')
  const { join, sep } = builtin('node:path')
  const path = typeof source === 'string' ? source : builtin('node:url').fileURLToPath(source)
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) throw new RangeError(`there is no folder at ${JSON.stringify(path)}`)
  if (!status.isDirectory()) {
    throw new RangeError(`${JSON.stringify(path)} is a file; give the folder that holds it`)
  }
  const root = realpathSync(path)

  /** The real path of `file`, links followed; null where nothing is there. */
  function inside(file: string): string | null {
    const real = orNull(() => realpathSync(join(root, safePath(file))))
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
      const real = inside(file)
      // Asked before opening, because opening a pipe would wait for a writer.
      return real !== null && statSync(real).isFile() ? fileSource(real, file) : null
    },
    async list(folder) {
      const real = inside(folder)
      const names = real === null ? null : orNull(() => readdirSync(real, { withFileTypes: true }))
      return (names ?? [])
        .filter((entry) => entry.isFile() || entry.isSymbolicLink())
        .map((entry) => entry.name)
        .sort()
    },
  }
}

function fileSource(path: string, file: string): ByteSource {
  const { closeSync, fstatSync, openSync, read, readSync } = builtin('node:fs')
  const handle = openSync(path, 'r')
  const byteLength = fstatSync(handle).size
  const readLater = (bytes: Uint8Array, at: number): Promise<number> =>
    new Promise((resolve, reject) => {
      read(handle, bytes, 0, bytes.length, at, (error, count) => (error === null ? resolve(count) : reject(error)))
    })
  async function fill(start: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const rest = bytes.subarray(done, done + CHUNK)
      const count =
        bytes.length <= AT_ONCE
          ? readSync(handle, rest, 0, rest.length, start + done)
          : await readLater(rest, start + done)
      if (count === 0) {
        throw new CorruptModelError(file, `ended at byte ${start + done} of ${byteLength}: it changed while being read`)
      }
      done += count
    }
  }
  return {
    byteLength,
    async slice(start, end) {
      checkRange(start, end, byteLength)
      const bytes = new Uint8Array(end - start)
      await fill(start, bytes)
      return bytes
    },
    fill,
    close: async () => closeSync(handle),
  }
}

/** What `work` gives, or null where it fails because the path does not exist. */
function orNull<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}
