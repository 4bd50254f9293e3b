import { Answerer, type WatchedModel } from '../embed/answer.ts'
import type { Answer, Job, Piece } from '../embed/piece.ts'
import { Pool } from '../embed/pool.ts'
import type { SharedModel } from '../embed/shared.ts'
import { compileSharedKernels } from '../engine/variants.ts'
import { openRanges } from '../platform/noderanges.ts'
import { nodeThread } from '../platform/nodethread.ts'
import type { Manifest } from '../weights/index.ts'
import type { EmbedWorkerData } from './embedworker.ts'

/** Milliseconds of work after which it is worth starting threads: a thread is ready after about 60. */
const PATIENCE = 250
/** Pieces a worker may have, so that one is always waiting when it ends another. */
const AHEAD = 3

/** A model that is loaded, and what workers need of it. */
export interface Loaded extends WatchedModel {
  /** As the bundle says it that it was read from, or would be written as. */
  manifest(): Promise<Manifest>
  /** In shared memory: where it was read, or of a SavedModel a copy. */
  shared(): Promise<SharedModel>
  readonly deterministic: boolean
}

/** Answers pieces here, and where there is much to do in threads of its own. */
export class Embedders {
  private loaded: Loaded | null
  private readonly job: Job
  private readonly workers: number
  private readonly patience: number
  private here: Promise<Answerer> | null
  private pool: Pool | null = null
  private started: number | null = null

  /** @param options `workers` at most so many threads; `eager` from the first piece on */
  constructor(loaded: Loaded, job: Job, { workers, eager }: { readonly workers: number; readonly eager: boolean }) {
    this.loaded = loaded
    this.job = job
    this.workers = workers
    this.patience = eager ? 0 : PATIENCE
    this.here = Answerer.of(loaded, job, async (path) => openRanges(path))
  }

  /** How many pieces are worth having in work. */
  get window(): number {
    return this.pool === null ? 1 : AHEAD * this.pool.size
  }

  async answer(piece: Piece): Promise<Answer> {
    this.started ??= performance.now()
    if (this.workers > 1 && this.pool === null && performance.now() - this.started >= this.patience) await this.start()
    return this.here === null ? (this.pool as Pool).answer(piece) : (await this.here).answer(piece)
  }

  private async start(): Promise<void> {
    const { shared, deterministic } = this.loaded as Loaded
    const data: EmbedWorkerData = {
      model: await shared(),
      wasm: await compileSharedKernels({ deterministic }),
      deterministic,
      job: this.job,
    }
    const url = new URL('../cli/embedworker.js', import.meta.url)
    this.pool = new Pool(Array.from({ length: this.workers }, () => nodeThread(url, data)))
    // The workers' copy is the one that is needed from here on.
    this.here = null
    this.loaded = null
  }

  async end(): Promise<void> {
    await this.pool?.end()
  }
}
