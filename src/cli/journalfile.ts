import { type Checkpoint, changes, FRESH, journalLine, type Origin, readJournal } from '../embed/journal.ts'
import { AppendFile, bytesAt, Lock, makeFolder, removeAt } from '../platform/nodeappend.ts'

/** The journal of a run on the disk, to which checkpoints are added. */
export class JournalFile {
  /** How far the run was when the journal was opened. */
  readonly last: Checkpoint
  private readonly path: string
  private readonly file: AppendFile
  private readonly lock: Lock

  private constructor(path: string, file: AppendFile, lock: Lock, last: Checkpoint) {
    this.path = path
    this.file = file
    this.lock = lock
    this.last = last
  }

  /**
   * Opens the journal at `path`, or begins one.
   * @throws {Error} where it is of a run on something else than `origin`, or another process goes on with it: two would write
   * over each other
   */
  static async open(path: string, origin: Origin): Promise<JournalFile> {
    await makeFolder(path)
    const lock = await Lock.take(`${path}.lock`)
    try {
      return await JournalFile.read(path, origin, lock)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  private static async read(path: string, origin: Origin, lock: Lock): Promise<JournalFile> {
    const bytes = (await bytesAt(path)) ?? new Uint8Array(0)
    const advice = 'start over without it: remove it'
    let journal: ReturnType<typeof readJournal>
    try {
      journal = readJournal(bytes)
    } catch (error) {
      throw new Error(`"${path}" is no journal of embed (${(error as Error).message}); ${advice}`)
    }
    if (journal === null) {
      const begun = new JournalFile(path, await AppendFile.open(path, 0), lock, FRESH)
      await begun.line(journalLine(origin))
      return begun
    }
    const other = changes(journal.origin, origin)
    if (other.length > 0) {
      const names = other.join(', ')
      throw new Error(`cannot resume: since "${path}" was begun there is another ${names}; put it back, or ${advice}`)
    }
    const file = await AppendFile.open(path, journal.length)
    return new JournalFile(path, file, lock, journal.checkpoints.at(-1) ?? FRESH)
  }

  append(checkpoint: Checkpoint): Promise<void> {
    return this.line(journalLine(checkpoint))
  }

  private line(text: string): Promise<void> {
    return this.file.append(new TextEncoder().encode(text))
  }

  async close(): Promise<void> {
    await this.file.close()
    await this.lock.release()
  }

  /** The run is over. */
  async remove(): Promise<void> {
    await this.file.close()
    await removeAt(this.path)
    await this.lock.release()
  }
}
