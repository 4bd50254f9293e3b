import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Model } from '../engine/model.ts'
import type { ServedModel, Version } from '../serve/models.ts'
import { MANIFEST } from '../weights/index.ts'

/** A version in a folder of its own. */
interface Found {
  readonly number: bigint
  readonly path: string
}

export interface VersionOptions {
  /** How many of the newest versions are served. */
  readonly keep: number
  load(path: string): Promise<Model>
  /** Makes of a loaded model what is served. */
  version(number: bigint, model: Model): Version | Promise<Version>
  /** Told what happens to a version. */
  tell(event: 'loaded' | 'failed' | 'retired', version: bigint, problem?: string): void
}

/** How often a model is loaded at start whose files are replaced while it is read. */
const MOST_TRIES = 5
const NUMBERED = /^\d{1,19}$/
const OWN_FILES: readonly string[] = [MANIFEST, 'saved_model.pb']

/**
 * The versions of a model in its folder: subfolders whose names are numbers, as TensorFlow Serving has them; a model that
 * lies in the folder itself is version 1.
 */
async function versionsIn(folder: string): Promise<Found[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  if (entries.some((entry) => OWN_FILES.includes(entry.name))) return [{ number: 1n, path: folder }]
  const numbered = entries.filter((entry) => NUMBERED.test(entry.name) && !entry.isFile())
  if (numbered.length === 0) return [{ number: 1n, path: folder }]
  return numbered
    .map(({ name }) => ({ number: BigInt(name), path: join(folder, name) }))
    .sort((a, b) => (a.number > b.number ? -1 : 1))
}

/** Changes whenever a file of the folder does. What goes while it is looked at is as if it had not been there. */
async function fingerprint(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const parts = await Promise.all(
    names.sort().map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => null)
      return found === null ? '' : `${name} ${found.size} ${found.mtimeMs} ${found.ino}`
    }),
  )
  return parts.join('\n')
}

/**
 * Keeps a served model as its folder says: new versions are loaded and served before old ones go, so that there is always
 * one that answers. A version is taken once its files have stopped changing, and again whenever they change.
 */
export class VersionFolder {
  private readonly served: ServedModel
  private readonly folder: string
  private readonly options: VersionOptions
  /** The files that each version was loaded from, or failed to be. */
  private readonly taken = new Map<bigint, string>()
  private seen = new Map<bigint, string>()

  constructor(served: ServedModel, folder: string, options: VersionOptions) {
    this.served = served
    this.folder = folder
    this.options = options
  }

  /** Loads the newest versions; again where files are replaced meanwhile. @throws where none can be loaded */
  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const before = await fingerprint(this.folder)
      let problem: unknown
      for (const { number, path } of (await versionsIn(this.folder)).slice(0, this.options.keep))
        problem = await this.take(number, path, await fingerprint(path))
      if (this.served.latest !== null) return
      if (tries === MOST_TRIES || before === (await fingerprint(this.folder))) throw problem
    }
  }

  /** Looks for what has changed. A folder that cannot be read now is looked at again later. */
  async look(): Promise<void> {
    let found: readonly Found[]
    const now = new Map<bigint, string>()
    try {
      found = (await versionsIn(this.folder)).slice(0, this.options.keep)
      for (const { number, path } of found) now.set(number, await fingerprint(path))
    } catch {
      return
    }
    for (const { number, path } of found) {
      const files = now.get(number) as string
      if (files !== '' && files !== this.taken.get(number) && files === this.seen.get(number))
        await this.take(number, path, files)
    }
    this.seen = now
    if (found.some(({ number }) => this.served.version(number) !== null)) this.retireAllBut(new Set(now.keys()))
  }

  /** Loads a version and serves it; what stands in the way is returned. */
  private async take(number: bigint, path: string, files: string): Promise<unknown> {
    this.taken.set(number, files)
    const before = this.served.version(number)
    if (before === null) this.served.mark(number, 'LOADING')
    try {
      this.served.serve(await this.options.version(number, await this.options.load(path)))
      this.options.tell('loaded', number)
      return null
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (before === null) this.served.mark(number, 'END', problem)
      this.options.tell('failed', number, problem)
      return error
    }
  }

  private retireAllBut(wanted: ReadonlySet<bigint>): void {
    for (const { number, state } of this.served.status) {
      if (state !== 'AVAILABLE' || wanted.has(number)) continue
      this.served.retire(number)
      this.taken.delete(number)
      this.options.tell('retired', number)
    }
  }
}
