import { builtin } from '../platform/builtin.ts'
import { before, type Entry } from './best.ts'
import type { SearchOptions } from './datapoint.ts'
import type { ExactIndex, Neighbors } from './exact.ts'
import type { Ranked, RowQuery } from './ranker.ts'
import type { ShardData, ShardQuery, ShardRanked, ShardReply } from './shard.ts'

/** A thread of a search, which answers lists of queries in order. */
export interface ShardThread {
  post(queries: readonly ShardQuery[], transfer: readonly ArrayBuffer[]): void
  /** @param failed called where the thread ends before it is told to */
  listen(answered: (reply: ShardReply) => void, failed: (error: Error) => void): void
  end(): Promise<void>
}

export interface ParallelOptions {
  /** How many threads; each has a share of the items. */
  readonly threads: number
  /** What `compileKernels` gives; the answer is the same without. */
  readonly kernels?: WebAssembly.Module
  /** Starts a thread; by default a worker of Node, Deno or Bun. */
  readonly start?: (data: ShardData) => ShardThread | Promise<ShardThread>
}

/** Shards begin where a word of a set of rows does. */
const STEP = 32

/**
 * An exact search by several threads, each over its share of the items; the answers are those of the index that it was made
 * of, to the last bit. Vectors that lie in a SharedArrayBuffer are read where they are; others are copied into one, or,
 * where the runtime has none, to each thread its own. The index need not have been given kernels itself.
 */
export class ParallelIndex {
  readonly index: ExactIndex
  private readonly shards: readonly { readonly first: number; readonly rows: number; readonly thread: ShardThread }[]
  private readonly waiting: Waiting[] = []
  private failure: Error | null = null

  /** @throws {RangeError} where threads is no positive integer, or the runtime has none and no `start` is given */
  static async of(index: ExactIndex, options: ParallelOptions): Promise<ParallelIndex> {
    const { threads, kernels = null, start = workerThread } = options
    if (!Number.isInteger(threads) || threads < 1)
      throw new RangeError(`threads must be a positive integer, got ${threads}`)
    const { ranker, width, similarity, attributes } = index
    const each = Math.max(STEP, Math.ceil(ranker.rows / threads / STEP) * STEP)
    const shared = sharedVectors(ranker.vectors)
    const shards = []
    for (let first = 0; first < ranker.rows; first += each) {
      const rows = Math.min(each, ranker.rows - first)
      const data: ShardData = {
        vectors: shared ?? ranker.vectors.slice(first * width, (first + rows) * width),
        first: shared === null ? 0 : first,
        rows,
        width,
        similarity,
        kernels,
        crowds: attributes?.crowds.slice(first, first + rows) ?? null,
      }
      shards.push({ first, rows, thread: await start(data) })
    }
    return new ParallelIndex(index, shards)
  }

  private constructor(index: ExactIndex, shards: ParallelIndex['shards']) {
    this.index = index
    this.shards = shards
    for (const [i, { thread }] of shards.entries())
      thread.listen(
        (reply) => this.answered(i, reply),
        (error) => this.fail(error),
      )
  }

  /** As `ExactIndex.search`. @throws {Error} where a thread has ended */
  async search(query: Float32Array, wanted: number | SearchOptions): Promise<Neighbors> {
    return (await this.searchMany([query], wanted))[0]
  }

  /** As `ExactIndex.searchMany`. @throws {Error} where a thread has ended */
  async searchMany(
    queries: readonly Float32Array[],
    wanted: number | SearchOptions | readonly SearchOptions[],
  ): Promise<Neighbors[]> {
    const asked = this.index.asked(queries, wanted)
    const ranked = asked.length === 0 || this.shards.length === 0 ? asked.map(() => []) : await this.rank(asked)
    return ranked.map((found) => this.index.neighbors(found))
  }

  async end(): Promise<void> {
    this.failure ??= new Error('the threads of this search have been ended')
    await Promise.all(this.shards.map(({ thread }) => thread.end()))
  }

  private async rank(asked: readonly RowQuery[]): Promise<Ranked[]> {
    const parts = await new Promise<readonly (readonly ShardRanked[])[]>((resolve, reject) => {
      if (this.failure !== null) throw this.failure
      this.waiting.push({ parts: this.shards.map(() => null), resolve, reject })
      for (const { first, rows, thread } of this.shards) {
        const queries = asked.map(({ query, k, within, perCrowd }): ShardQuery => {
          const bits = within?.slice(first, first + rows).bits ?? null
          // A copy: with a part of a matrix the whole of it would be sent.
          return { query: query.slice(), k, within: bits, perCrowd }
        })
        thread.post(
          queries,
          queries.flatMap(({ within }) => (within === null ? [] : [within.buffer])),
        )
      }
    })
    return asked.map((one, i) =>
      this.merged(
        one,
        parts.map((ranked) => ranked[i]),
      ),
    )
  }

  /** Of the best of each shard the best of all. What crowds in a shard crowds in the whole, so that none is missing. */
  private merged({ k, perCrowd }: RowQuery, parts: readonly ShardRanked[]): Ranked {
    const entries = parts.flatMap(({ keys, rows }, shard) =>
      Array.from(keys, (key, i): Entry => [key, this.shards[shard].first + rows[i]]),
    )
    entries.sort((a, b) => (before(a, b) ? -1 : 1))
    const crowds = this.index.attributes?.crowds
    if (perCrowd === null || crowds === undefined) return entries.slice(0, k)
    const sizes = new Map<number, number>()
    const kept = entries.filter(([, row]) => {
      const size = sizes.get(crowds[row]) ?? 0
      sizes.set(crowds[row], size + 1)
      return crowds[row] === 0 || size < perCrowd
    })
    return kept.slice(0, k)
  }

  /** Threads answer in order, so that a reply is to the first question that has none of this thread. */
  private answered(shard: number, reply: ShardReply): void {
    if ('problem' in reply) {
      this.fail(new Error(reply.problem))
      return
    }
    const asked = this.waiting.find(({ parts }) => parts[shard] === null)
    if (asked === undefined) return
    asked.parts[shard] = reply.ranked
    const parts = asked.parts.filter((part) => part !== null)
    if (parts.length < this.shards.length) return
    this.waiting.splice(this.waiting.indexOf(asked), 1)
    asked.resolve(parts)
  }

  private fail(error: Error): void {
    this.failure ??= error
    for (const { reject } of this.waiting.splice(0)) reject(this.failure)
  }
}

/** A question that not all threads have answered. */
interface Waiting {
  readonly parts: (readonly ShardRanked[] | null)[]
  resolve(parts: readonly (readonly ShardRanked[])[]): void
  reject(error: Error): void
}

/** The vectors in shared memory; null where the runtime has none. */
function sharedVectors(vectors: Float32Array): Float32Array | null {
  if (typeof SharedArrayBuffer === 'undefined') return null
  if (vectors.buffer instanceof SharedArrayBuffer) return vectors
  const shared = new Float32Array(new SharedArrayBuffer(vectors.byteLength))
  shared.set(vectors)
  return shared
}

async function workerThread(data: ShardData): Promise<ShardThread> {
  if (builtin('node:worker_threads') === undefined)
    throw new RangeError('this runtime starts no threads by itself: give `start`, or search with ExactIndex')
  const { nodeThread } = await import('../platform/nodethread.ts')
  const thread = nodeThread(new URL('../search/searchworker.js', import.meta.url), data)
  return {
    post: (queries, transfer) => thread.post(queries, transfer),
    listen: (answered, failed) => thread.listen((message) => answered(message as ShardReply), failed),
    end: () => thread.end(),
  }
}
