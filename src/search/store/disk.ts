import { builtin } from '../../platform/builtin.ts'
import type { AppendFile, Lock } from '../../platform/nodeappend.ts'
import { type Change, LogReader, logHead, logRecords } from './log.ts'
import { sourceAt } from './source.ts'

// The two files of an index on a disk: the index itself, replaced as a whole, and beside it `….log`, what has changed
// since. A log names the generation of the file that it goes on from, so that one which a kill left beside a newer file
// counts for nothing.

/** @throws {RangeError} where the runtime has no file system */
async function disk(): Promise<typeof import('../../platform/nodeappend.ts')> {
  if (builtin('node:fs') === undefined)
    throw new RangeError('this runtime has no file system: keep what `toBytes` gives where the runtime keeps things')
  return import('../../platform/nodeappend.ts')
}

export function samePath(a: string, b: string): boolean {
  const { resolve } = builtin('node:path')
  return resolve(a) === resolve(b)
}

const logOf = (path: string): string => `${path}.log`

/** What `use` gives of the log of the file of that generation; null where there is none. */
export async function withLog<T>(
  path: string,
  generation: string,
  use: (log: LogReader) => Promise<T>,
): Promise<T | null> {
  const source = await sourceAt(logOf(path))
  if (source === null) return null
  try {
    const log = await LogReader.open(logOf(path), source)
    return log?.generation === generation ? await use(log) : null
  } finally {
    await source.close?.()
  }
}

/**
 * Puts a new file at `path` in place of what is there and its log.
 * @throws {Error} where another process writes it, or what keeps it from the disk
 */
export async function saveFile(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const { Lock, makeFolder, removeAt } = await disk()
  await makeFolder(path)
  const lock = await Lock.take(`${path}.lock`).catch((error: Error) => {
    throw untouched(path, error)
  })
  try {
    await replaceFile(path, pieces)
    // It is of another generation, so that it counts for nothing even where this is not reached.
    await removeAt(logOf(path))
  } finally {
    await lock.release()
  }
}

/** Replaces the file at `path`: whoever opens it sees the old one or the new one, whole. @throws what keeps it from the disk */
async function replaceFile(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const { syncFolder } = await disk()
  const { PartFile } = await import('../../platform/nodepart.ts')
  const file = await PartFile.open(path, `${path}.new`)
  try {
    for (const piece of pieces) await file.append(piece)
    await file.sync()
  } catch (error) {
    await file.discard()
    throw untouched(path, error as Error)
  }
  await file.close()
  await file.keep()
  await syncFolder(path)
}

const untouched = (path: string, error: Error): Error =>
  Object.assign(error, { message: `${error.message}: "${path}" is not written, what was there before is as it was` })

/** The one that may write an index: it appends to the log, and may replace the file. */
export class DiskWriter {
  private readonly path: string
  private readonly lock: Lock
  private log: AppendFile

  private constructor(path: string, lock: Lock, log: AppendFile) {
    this.path = path
    this.lock = lock
    this.log = log
  }

  /**
   * @param length the bytes of the log when it was read
   * @param current the generation of the file that is there now
   * @throws {Error} where another process writes the index, or has written it since it was read
   */
  static async open(
    path: string,
    generation: string,
    length: number,
    current: () => Promise<string>,
  ): Promise<DiskWriter> {
    const { Lock } = await disk()
    const lock = await Lock.take(`${path}.lock`)
    try {
      const isSame = (await withLog(path, generation, (log) => log.endsAt(length))) ?? length === 0
      if ((await current()) !== generation || !isSame)
        throw new Error(`"${path}" was changed by another since it was opened: open it again`)
      return new DiskWriter(path, lock, await logFile(path, generation, length))
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Returns when the changes are on the disk. @throws what keeps them from it; then none of them counts */
  async append(changes: readonly Change[]): Promise<void> {
    try {
      await this.log.append(logRecords(changes))
    } catch (error) {
      throw Object.assign(error as Error, {
        message: `${(error as Error).message}: none of these changes is in "${logOf(this.path)}", those before are; make them again once it can be written`,
      })
    }
  }

  /** Puts a new file in place of the old one and its log. A kill on the way leaves the one or the other. */
  async replace(pieces: readonly Uint8Array[], generation: string): Promise<void> {
    await replaceFile(this.path, pieces)
    await this.log.close()
    this.log = await logFile(this.path, generation, 0)
  }

  async close(): Promise<void> {
    await this.log.close()
    await this.lock.release()
  }
}

async function logFile(path: string, generation: string, length: number): Promise<AppendFile> {
  const { AppendFile, syncFolder } = await disk()
  const file = await AppendFile.open(logOf(path), length)
  if (length > 0) return file
  await file.append(logHead(generation))
  await syncFolder(path)
  return file
}
