import { join } from 'node:path'
import { type Checkpoint, FRESH, type Origin, type Position } from '../embed/journal.ts'
import type { Answer } from '../embed/piece.ts'
import type { OutputFormat, Sink } from '../embed/sink.ts'
import { keepPart, PartFile } from '../platform/nodepart.ts'
import { reportBadRows } from './badrows.ts'
import { JournalFile } from './journalfile.ts'
import { unfinishedName } from './unfinished.ts'

/** Milliseconds between two checkpoints: what a kill costs at most. */
const PACE = 250

/** Where and how answers are written into files. */
export interface FilePlan {
  /** The file, or where there are shards their folder. */
  readonly path: string
  readonly format: OutputFormat
  /** Rows of input that a file of a folder holds, and what the file's name ends with; null for one file. */
  readonly shards: { readonly rows: number; readonly extension: string } | null
  /** The file of bad rows, where there is one. */
  readonly errors: string | null
  /** What the run is started on, where it is to be gone on with after a kill; null where not. */
  readonly origin: Origin | null
}

/** Files that are whole or not there; with a journal, a run that can be gone on with after a kill. */
export class FileOutput {
  /** How far an earlier run came. */
  readonly from: Checkpoint
  private readonly plan: FilePlan
  private readonly journal: JournalFile | null
  private shard: number
  private errors: PartFile | null = null
  private open: { readonly files: readonly PartFile[]; readonly sink: Sink } | null = null
  private answered: number
  private failed: number
  private noted = performance.now()

  private constructor(plan: FilePlan, journal: JournalFile | null) {
    this.plan = plan
    this.journal = journal
    this.from = journal?.last ?? FRESH
    this.shard = this.from.shard
    this.answered = this.from.answered
    this.failed = this.from.failed
  }

  /** Opens what is to be written, at the place where an earlier run ended. */
  static async open(plan: FilePlan): Promise<FileOutput> {
    const { path, origin } = plan
    const journal = origin === null ? null : await JournalFile.open(`${path}.journal`, origin)
    const output = new FileOutput(plan, journal)
    const { shard, sizes, state } = output.from
    try {
      // A kill may have come between the journal's line and the names.
      if (shard > 0) await output.name(shard - 1)
      if (sizes.length > 0) await output.begin(sizes, state)
      await output.beginErrors()
    } catch (error) {
      await journal?.close()
      throw error
    }
    return output
  }

  /** No piece of the input may hold rows of two shards of so many. */
  get shardRows(): number {
    return this.plan.shards?.rows ?? Infinity
  }

  async write(answer: Answer, after: Position): Promise<void> {
    const { sink } = this.open ?? (await this.begin([], null))
    await sink.write(answer)
    if (this.errors === null) reportBadRows(answer.errors)
    else await this.errors.append(answer.errors)
    this.answered += answer.rows
    this.failed += answer.failed
    const { shards } = this.plan
    if (shards !== null && after.rows % shards.rows === 0) await this.end(after, false)
    else if (this.journal !== null && performance.now() - this.noted >= PACE) await this.note(after, false)
  }

  /** Ends the last file; all have their names then. */
  async keep(after: Position): Promise<void> {
    if (!this.from.done) {
      if (this.open === null && this.shard === 0) await this.begin([], null)
      await this.end(after, true)
    } else await this.nameErrors()
    await this.journal?.remove()
  }

  /** The work failed: an unfinished file is removed, or where it can be gone on with, left. */
  async leave(): Promise<void> {
    const files = [...(this.open?.files ?? []), ...(this.errors === null ? [] : [this.errors])]
    for (const file of files) await (this.journal === null ? file.discard() : file.close())
    await this.journal?.close()
  }

  /** Nothing was begun after all: not even a journal is left. */
  async keepNothing(): Promise<void> {
    await this.errors?.discard()
    await this.journal?.remove()
  }

  private async begin(sizes: readonly number[], state: Checkpoint['state']): Promise<{ readonly sink: Sink }> {
    const files: PartFile[] = []
    for (const [i, path] of this.paths(this.shard).entries())
      files.push(await PartFile.open(path, this.unfinished(path), sizes[i]))
    this.open = { files, sink: this.plan.format.sink(files, state) }
    return this.open
  }

  private async end(after: Position, done: boolean): Promise<void> {
    if (this.open !== null) {
      const { files, sink } = this.open
      await sink.end()
      for (const file of files) {
        if (this.journal !== null) await file.sync()
        await file.close()
      }
      this.open = null
      this.shard++
    }
    await this.note(after, done)
    if (done) await this.nameErrors()
    if (this.shard > 0) await this.name(this.shard - 1)
  }

  private async note(at: Position, done: boolean): Promise<void> {
    const { journal, open, shard, answered, failed } = this
    this.noted = performance.now()
    const state = open === null ? null : open.sink.state()
    if (journal === null || state === undefined) return
    for (const file of open?.files ?? []) await file.sync()
    await this.errors?.sync()
    const sizes = open?.files.map(({ size }) => size) ?? []
    const errors = this.errors?.size ?? 0
    await journal.append({ at, shard, sizes, errors, state, answered, failed, done })
  }

  private async beginErrors(): Promise<void> {
    const { errors } = this.plan
    if (errors !== null && !this.from.done)
      this.errors = await PartFile.open(errors, this.unfinished(errors), this.from.errors)
  }

  private async nameErrors(): Promise<void> {
    const { errors } = this.plan
    await this.errors?.close()
    this.errors = null
    if (errors !== null) await keepPart(errors, this.unfinished(errors))
  }

  private async name(shard: number): Promise<void> {
    for (const path of this.paths(shard)) await keepPart(path, this.unfinished(path))
  }

  private paths(shard: number): readonly string[] {
    const { path, format, shards } = this.plan
    return format.paths(
      shards === null ? path : join(path, `part-${String(shard).padStart(5, '0')}${shards.extension}`),
    )
  }

  private unfinished(path: string): string {
    return this.journal === null ? unfinishedName(path) : `${path}.part`
  }
}
