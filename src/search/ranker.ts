import { measure } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'
import { Best, type Entry } from './best.ts'
import type { ScanArrays } from './rounding.ts'
import { RowSet } from './rowset.ts'
import { Scan } from './scan.ts'
import { arraysOf, roundedFrom, storedAs } from './scanitems.ts'
import type { Asked } from './scanquery.ts'

/** Numbers from which on a scan by kernels is worth its copy of the items, and the work of a search a scan. */
const MANY = 1 << 14

/** One query over rows. */
export interface RowQuery {
  /** `float32[width]` */
  readonly query: Float32Array
  readonly k: number
  /** The rows that may be found; null for all. */
  readonly within: RowSet | null
  /** At most so many rows of one crowd; null for any number. */
  readonly perCrowd: number | null
}

/** Rows, the best first, each with its key: the raw metric, negative where the smallest is the best. */
export type Ranked = readonly Entry[]

/** The best rows of a matrix: every row that may be found is scored, or cannot be among the best. */
export class Ranker {
  readonly vectors: Float32Array
  readonly rows: number
  readonly width: number
  readonly similarity: Similarity
  /** Made for the first search that is worth it; null where none is. */
  private readonly scanOf: () => Scan | null
  private readonly crowds: Uint32Array | null
  private readonly crowdEnd: number

  /**
   * @param vectors `float32[rows, width]`, row-major; kept as they are
   * @param kernels to scan many rows by kernels; the answer is the same without
   * @param crowds u32[rows]: the crowd of each row, 0 for none
   * @param scan what `scanArrays` gave for these vectors, which spares making it again; `later` to make it when it is asked for
   */
  constructor(
    vectors: Float32Array,
    rows: number,
    similarity: Similarity,
    kernels: WebAssembly.Module | null,
    crowds: Uint32Array | null,
    scan: ScanArrays | 'later' | null = null,
  ) {
    this.vectors = vectors
    this.rows = rows
    this.width = rows === 0 ? 0 : vectors.length / rows
    this.similarity = similarity
    const { width } = this
    const { metric } = similarity
    const make = (): Scan | null => {
      if (kernels === null || vectors.length < MANY) return null
      const items =
        scan === null || scan === 'later'
          ? roundedFrom(kernels, vectors, width, metric)
          : storedAs(kernels, scan, rows, width, metric)
      return items === null ? null : new Scan(items)
    }
    let made = scan === 'later' ? undefined : make()
    this.scanOf = () => {
      if (made === undefined) made = make()
      return made
    }
    this.crowds = crowds
    this.crowdEnd = crowds?.reduce((end, crowd) => Math.max(end, crowd + 1), 0) ?? 0
  }

  /** What the scan by kernels keeps of the vectors; null where there is none. */
  get scanArrays(): ScanArrays | null {
    const scan = this.scanOf()
    return scan === null ? null : arraysOf(scan.of)
  }

  /** The key of `row`, which grows with nearness: the nearest has the smallest distance, whatever the sign of its score. */
  key(query: Float32Array, row: number): number {
    const { metric } = this.similarity
    return keySign(this.similarity) * measure(query, 0, this.vectors, row * this.width, this.width, metric)
  }

  /** The best rows for each query; rows are read once for all of them. */
  rank(queries: readonly RowQuery[]): Ranked[] {
    const together = this.best(queries)
    return queries.map((asked, i) =>
      asked.perCrowd === null || this.crowds === null
        ? together[i]
        : this.uncrowded(asked, asked.perCrowd, this.crowds, together[i]),
    )
  }

  private best(queries: readonly RowQuery[]): Ranked[] {
    const farthest = this.similarity.scale < 0 && this.similarity.metric !== 'euclidean'
    const candidates: (Int32Array | null)[] = queries.map(() => null)
    const worth = [...queries.keys()].filter((i) => (queries[i].within?.size ?? this.rows) * this.width >= MANY)
    const scan = worth.length === 0 ? null : this.scanOf()
    if (scan !== null) {
      const asked = worth.map((i): Asked => ({ ...queries[i], farthest }))
      for (const [j, found] of scan.candidates(asked).entries()) candidates[worth[j]] = found
    }
    return queries.map(({ query, k, within }, i) => {
      const rows = candidates[i] ?? within?.list() ?? null
      const best = new Best(Math.min(k, rows?.length ?? this.rows))
      if (rows === null) for (let row = 0; row < this.rows; row++) best.offer(this.key(query, row), row)
      else for (const row of rows) best.offer(this.key(query, row), row)
      return best.sorted()
    })
  }

  /**
   * The k best of the rows that have fewer than `limit` better ones of their own crowd. `found` are the best without that;
   * where too many of them crowd, the next best are sought among the rows of crowds that are not full, more each time.
   */
  private uncrowded(asked: RowQuery, limit: number, crowds: Uint32Array, found: Ranked): Ranked {
    const kept: Entry[] = []
    const sizes = new Map<number, number>()
    let [ranked, k, rest] = [found, asked.k, asked.within]
    for (;;) {
      for (const entry of ranked) {
        const crowd = crowds[entry[1]]
        const size = sizes.get(crowd) ?? 0
        if (crowd !== 0 && size >= limit) continue
        sizes.set(crowd, size + 1)
        kept.push(entry)
      }
      if (kept.length >= asked.k || ranked.length < k) return kept.slice(0, asked.k)
      rest = rest === null ? RowSet.all(this.rows) : rest.copy()
      for (const [, row] of ranked) rest.delete(row)
      const full = new Uint8Array(this.crowdEnd)
      for (const [crowd, size] of sizes) if (crowd !== 0 && size >= limit) full[crowd] = 1
      for (let row = 0; row < this.rows; row++) if (full[crowds[row]] === 1) rest.delete(row)
      k *= 4
      ranked = this.best([{ ...asked, k, within: rest }])[0]
    }
  }
}

/** Under `euclidean` the smallest distance is the best, under a negative scale the smallest metric. */
export const keySign = ({ metric, scale }: Similarity): 1 | -1 => (metric === 'euclidean' || scale < 0 ? -1 : 1)
