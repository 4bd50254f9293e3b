import type { Similarity } from '../graph/index.ts'
import { Ranker } from './ranker.ts'
import { RowSet } from './rowset.ts'

// A part of an index's rows, searched in a thread of its own: what the thread is started with, asked, and answers.

/** What a thread is started with. */
export interface ShardData {
  /** `float32[rows, width]`: of the whole index, where memory is shared; of the shard alone where it is not. */
  readonly vectors: Float32Array
  /** Where the shard begins in them, and how many rows it has. */
  readonly first: number
  readonly rows: number
  readonly width: number
  readonly similarity: Similarity
  readonly kernels: WebAssembly.Module | null
  /** u32[rows], of the shard. */
  readonly crowds: Uint32Array | null
}

/** A query over the rows of a shard; `within` are the bits of a `RowSet`. */
export interface ShardQuery {
  readonly query: Float32Array
  readonly k: number
  readonly within: Uint32Array<ArrayBuffer> | null
  readonly perCrowd: number | null
}

/** The best rows of a shard, numbered within it. */
export interface ShardRanked {
  readonly keys: Float64Array<ArrayBuffer>
  readonly rows: Int32Array<ArrayBuffer>
}

/** What a thread gives back for a list of queries. */
export type ShardReply = { readonly ranked: readonly ShardRanked[] } | { readonly problem: string }

export class Shard {
  private readonly ranker: Ranker

  constructor({ vectors, first, rows, width, similarity, kernels, crowds }: ShardData) {
    const own = vectors.subarray(first * width, (first + rows) * width)
    this.ranker = new Ranker(own, rows, similarity, kernels, crowds)
  }

  answer(queries: readonly ShardQuery[]): ShardReply {
    try {
      const { rows } = this.ranker
      const ranked = this.ranker.rank(
        queries.map((asked) => ({ ...asked, within: asked.within === null ? null : RowSet.from(rows, asked.within) })),
      )
      return {
        ranked: ranked.map((found) => ({
          keys: Float64Array.from(found, ([key]) => key),
          rows: Int32Array.from(found, ([, row]) => row),
        })),
      }
    } catch (error) {
      return { problem: (error as Error).message }
    }
  }
}
