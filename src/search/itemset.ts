import { finish } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'
import { checkApproximateOptions } from './approximate/options.ts'
import type { Partitions } from './approximate/partitions.ts'
import { rankApproximately } from './approximate/rank.ts'
import { Attributes } from './attributes.ts'
import { before, type Entry } from './best.ts'
import type { Datapoint, SearchOptions } from './datapoint.ts'
import { ExactIndex, type Neighbors } from './exact.ts'
import { copyOf } from './item.ts'
import { keySign, type Ranked, type RowQuery } from './ranker.ts'
import { RowSet } from './rowset.ts'
import type { Change } from './store/log.ts'

/** Items that do not change, and what approximate search of them goes by; null where all are measured. */
export interface Base {
  readonly exact: ExactIndex
  readonly partitions: Partitions | null
}

/** Items as they are now: those of a base that still count, and those put in since, searched as one. */
export class ItemSet {
  readonly base: Base
  /** Numbers of a vector: a base without items does not say. */
  private readonly width: number
  private readonly kernels: WebAssembly.Module | undefined
  /** Rows of the base that still count; null for all. */
  private kept: RowSet | null = null
  /** What was put in since, by id, the first put in first. */
  private readonly added = new Map<string, Datapoint>()
  /** Them as an index; null until it is asked. */
  private recent: ExactIndex | null = null

  constructor(base: Base, width: number, kernels: WebAssembly.Module | undefined) {
    this.base = base
    this.width = width
    this.kernels = kernels
  }

  /** How many items there are; of them those put in since, and how many of the base no longer count. */
  get counts(): { readonly items: number; readonly added: number; readonly removed: number } {
    const all = this.base.exact.ids.length
    const kept = this.kept?.size ?? all
    return { items: kept + this.added.size, added: this.added.size, removed: all - kept }
  }

  get(id: string): Datapoint | null {
    const added = this.added.get(id)
    if (added !== undefined) return copyOf(added)
    const [row] = this.base.exact.rowsOf(id)
    return this.holds(row) ? this.datapoint(row) : null
  }

  has(id: string): boolean {
    return this.added.has(id) || this.holds(this.base.exact.rowsOf(id)[0])
  }

  /** All items: those of the base that still count, then those put in since. */
  *datapoints(): IterableIterator<Datapoint> {
    for (let row = 0; row < this.base.exact.ids.length; row++) if (this.holds(row)) yield this.datapoint(row)
    for (const added of this.added.values()) yield copyOf(added)
  }

  /** Puts an item in, in place of one of its id, or takes one out. */
  apply(change: Change): void {
    const id = change.op === 'remove' ? change.id : change.datapoint.id
    const [row] = this.base.exact.rowsOf(id)
    if (this.holds(row)) {
      this.kept ??= RowSet.all(this.base.exact.ids.length)
      this.kept.delete(row)
    }
    this.added.delete(id)
    if (change.op === 'upsert') this.added.set(id, change.datapoint)
    this.recent = null
  }

  /** The items as they are, as one index that does not change. */
  exact(): ExactIndex {
    if (this.kept === null && this.added.size === 0) return this.base.exact
    return exactOf([...this.datapoints()], this.width, this.base.exact.similarity, this.kernels)
  }

  /** The items as they are, as a base: partitions stay as they were learned, and what was put in is in them. */
  settled(): Base {
    const exact = this.exact()
    if (exact === this.base.exact) return this.base
    return { exact, partitions: this.base.partitions?.refilled(exact.ranker.vectors) ?? null }
  }

  /** For each query the best items, with its own options or all with one. */
  search(queries: readonly Float32Array[], wanted: number | SearchOptions | readonly SearchOptions[]): Neighbors[] {
    const { exact } = this.base
    const recent = this.recentIndex()
    const asked = exact.asked(queries, wanted)
    const old = this.ranked(this.kept === null ? asked : within(asked, this.kept), wanted)
    if (recent === null) return old.map((ranked) => exact.neighbors(ranked))
    const fresh = recent.ranker.rank(recent.asked(queries, wanted))
    return asked.map(({ k, perCrowd }, i) => this.merged(recent, old[i], fresh[i], k, perCrowd))
  }

  /** The best rows of the base; approximately where a query wants that and there are partitions. */
  private ranked(
    asked: readonly RowQuery[],
    wanted: number | SearchOptions | readonly SearchOptions[],
  ): readonly Ranked[] {
    const { exact: base, partitions } = this.base
    const each = (i: number): SearchOptions['approximate'] =>
      typeof wanted === 'number' ? false : ('k' in wanted ? wanted : wanted[i]).approximate
    const near = asked.map((query, i): Ranked | null => {
      const approximate = each(i) ?? false
      const options = typeof approximate === 'boolean' ? {} : approximate
      checkApproximateOptions(options)
      if (approximate === false || partitions === null) return null
      return rankApproximately(partitions, base.ranker, query, base.attributes?.crowds ?? null, options)
    })
    const others = base.ranker.rank(asked.filter((_, i) => near[i] === null))
    let next = 0
    return near.map((ranked) => ranked ?? others[next++])
  }

  private holds(row: number | undefined): row is number {
    return row !== undefined && (this.kept === null || this.kept.has(row))
  }

  private datapoint(row: number): Datapoint {
    const { ids, ranker, attributes } = this.base.exact
    const embedding = ranker.vectors.slice(row * this.width, (row + 1) * this.width)
    return { id: ids[row], embedding, ...attributes?.of(row) }
  }

  private recentIndex(): ExactIndex | null {
    if (this.added.size === 0) return null
    this.recent ??= exactOf([...this.added.values()], this.width, this.base.exact.similarity, this.kernels)
    return this.recent
  }

  /** Of the best of both the best. What crowds in one crowds in all, so that none is missing. */
  private merged(
    recent: ExactIndex,
    old: readonly Entry[],
    fresh: readonly Entry[],
    k: number,
    perCrowd: number | null,
  ): Neighbors {
    const { exact } = this.base
    const first = exact.ids.length
    const entries = [...old, ...fresh.map(([key, row]): Entry => [key, first + row])]
    entries.sort((a, b) => (before(a, b) ? -1 : 1))
    const of = (row: number): readonly [ExactIndex, number] => (row < first ? [exact, row] : [recent, row - first])
    const sizes = new Map<string, number>()
    const best = entries.filter(([, row]) => {
      const [index, own] = of(row)
      const tag = perCrowd === null ? undefined : index.attributes?.crowdingTag(own)
      if (perCrowd === null || tag === undefined) return true
      const size = sizes.get(tag) ?? 0
      sizes.set(tag, size + 1)
      return size < perCrowd
    })
    const found = best.slice(0, k)
    const sign = keySign(exact.similarity)
    return {
      ids: found.map(([, row]) => {
        const [index, own] = of(row)
        return index.ids[own]
      }),
      scores: Float32Array.from(found, ([key]) => finish(sign * key, exact.similarity)),
    }
  }
}

/** An index of items, of vectors of one width. */
export function exactOf(
  items: readonly Datapoint[],
  width: number,
  similarity: Similarity,
  kernels: WebAssembly.Module | undefined,
): ExactIndex {
  const vectors = new Float32Array(items.length * width)
  for (const [row, { embedding }] of items.entries()) vectors.set(embedding, row * width)
  const attributes = Attributes.of(items)
  const ids = items.map(({ id }) => id)
  return new ExactIndex(ids, vectors, similarity, { ...(kernels && { kernels }), attributes })
}

function within(asked: readonly RowQuery[], kept: RowSet): RowQuery[] {
  const known = new Map<RowSet, RowSet>()
  return asked.map((query) => {
    if (query.within === null) return { ...query, within: kept }
    const both = known.get(query.within) ?? query.within.copy()
    both.intersect(kept)
    known.set(query.within, both)
    return { ...query, within: both }
  })
}
