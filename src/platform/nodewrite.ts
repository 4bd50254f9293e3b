import { builtin } from './builtin.ts'
import { writeBytes } from './nodebytes.ts'

/** A file to write: its pieces one after the other. */
export interface NewFile {
  /** Its path within the folder. */
  readonly name: string
  readonly pieces: readonly Uint8Array[]
}

/**
 * Writes a folder of files so that whoever looks sees the whole old folder or the whole new one: everything is written and
 * synced beside it, then renamed. Where there is an old one it is renamed first, so between two calls of the system there is
 * none; a process that is killed just there leaves both beside, as `.<name>.<mark>.old` and `.new`.
 *
 * @param replaceable decides by the file names of an existing folder whether it may be replaced; an empty one always may
 * @throws {RangeError} where something else is in the way, and where the runtime has no file system
 */
export async function writeFolder(
  path: string,
  files: readonly NewFile[],
  replaceable: (names: readonly string[]) => boolean,
): Promise<void> {
  if (builtin('node:fs') === undefined) {
    throw new RangeError(
      `${JSON.stringify(path)} cannot be written: this runtime has no file system; keep the bundle's manifest and weights where the runtime keeps things`,
    )
  }
  const { mkdir, rename, rm } = builtin('node:fs').promises
  const { basename, dirname, join, resolve } = builtin('node:path')
  const target = resolve(path)
  const existing = await namesIn(target)
  if (existing !== null && existing.length > 0 && !replaceable(existing)) {
    throw new RangeError(`${path} exists and holds other files; choose an empty or new folder`)
  }
  await mkdir(dirname(target), { recursive: true })
  const mark = builtin('node:crypto').randomBytes(6).toString('hex')
  const fresh = join(dirname(target), `.${basename(target)}.${mark}.new`)
  try {
    await mkdir(fresh)
    for (const file of files) {
      await mkdir(dirname(join(fresh, file.name)), { recursive: true })
      await writeFile(join(fresh, file.name), file.pieces, join(path, file.name))
    }
    if (existing === null || existing.length === 0) await rename(fresh, target)
    else {
      const old = join(dirname(target), `.${basename(target)}.${mark}.old`)
      await rename(target, old)
      await rename(fresh, target).catch(async (error: unknown) => {
        await rename(old, target).catch(() => {})
        throw error
      })
      await rm(old, { recursive: true })
    }
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    throw error
  }
}

async function namesIn(path: string): Promise<string[] | null> {
  try {
    return await builtin('node:fs').promises.readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR')
      throw new RangeError(`${path} is a file, or lies in one; choose a folder`)
    throw error
  }
}

/** @param name what the file is to be called, for messages */
async function writeFile(path: string, pieces: readonly Uint8Array[], name: string): Promise<void> {
  const file = await builtin('node:fs').promises.open(path, 'wx')
  try {
    let position = 0
    for (const piece of pieces) {
      await writeBytes(file, piece, position, name)
      position += piece.length
    }
    await file.sync()
  } finally {
    await file.close()
  }
}
