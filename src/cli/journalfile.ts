import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Checkpoint, changes, FRESH, journalLine, type Origin, readJournal } from '../embed/journal.ts'

/** The journal of a run on the disk, to which checkpoints are added. */
export class JournalFile {
  /** How far the run was when the journal was opened. */
  readonly last: Checkpoint
  private readonly path: string
  private readonly handle: FileHandle

  private constructor(path: string, handle: FileHandle, last: Checkpoint) {
    this.path = path
    this.handle = handle
    this.last = last
  }

  /**
   * Opens the journal at `path`, or begins one.
   * @throws {Error} where it is of a run on something else than `origin`
   */
  static async open(path: string, origin: Origin): Promise<JournalFile> {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return new Uint8Array(0)
      throw error
    })
    const advice = 'start over without it: remove it'
    let journal: ReturnType<typeof readJournal>
    try {
      journal = readJournal(bytes)
    } catch (error) {
      throw new Error(`"${path}" is no journal of embed (${(error as Error).message}); ${advice}`)
    }
    if (journal === null) {
      await mkdir(dirname(path), { recursive: true })
      const begun = new JournalFile(path, await open(path, 'w'), FRESH)
      await begun.line(journalLine(origin))
      return begun
    }
    const other = changes(journal.origin, origin)
    if (other.length > 0) {
      const names = other.join(', ')
      throw new Error(`cannot resume: since "${path}" was begun there is another ${names}; put it back, or ${advice}`)
    }
    const handle = await open(path, 'r+')
    await handle.truncate(journal.length)
    const going = new JournalFile(path, handle, journal.checkpoints.at(-1) ?? FRESH)
    going.length = journal.length
    return going
  }

  private length = 0

  append(checkpoint: Checkpoint): Promise<void> {
    return this.line(journalLine(checkpoint))
  }

  private async line(text: string): Promise<void> {
    const { bytesWritten } = await this.handle.write(text, this.length)
    this.length += bytesWritten
    await this.handle.datasync()
  }

  close(): Promise<void> {
    return this.handle.close()
  }

  /** The run is over. */
  async remove(): Promise<void> {
    await this.handle.close()
    await rm(this.path)
  }
}
