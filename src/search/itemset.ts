import { finish } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'
import { checkApproximateOptions } from './approximate/options.ts'
import type { Partitions } from './approximate/partitions.ts'
import { rankApproximately } from './approximate/rank.ts'
import { before, type Entry } from './best.ts'
import type { Datapoint, SearchOptions } from './datapoint.ts'
import { ExactIndex, type Neighbors } from './exact.ts'
import { gathered, type Items } from './gathered.ts'
import { copyOf } from './item.ts'
import { Layer, Layers } from './layers.ts'
import { keySign, type Ranked, type RowQuery } from './ranker.ts'
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
  /** The base as far as it still counts. */
  private readonly old: Layer
  /** What was put in since. */
  private readonly added: Layers

  constructor(base: Base, width: number, kernels: WebAssembly.Module | undefined) {
    this.base = base
    this.width = width
    this.kernels = kernels
    this.old = new Layer(base.exact)
    this.added = new Layers(width, (items) => this.indexOf(items))
  }

  /** How many items there are; of them those put in since, and how many of the base no longer count. */
  get counts(): { readonly items: number; readonly added: number; readonly removed: number } {
    const kept = this.old.size
    return { items: kept + this.added.size, added: this.added.size, removed: this.base.exact.ids.length - kept }
  }

  get(id: string): Datapoint | null {
    const added = this.added.get(id)
    if (added !== undefined) return added
    const row = this.old.rowOf(id)
    return row === null ? null : this.old.datapoint(row)
  }

  has(id: string): boolean {
    return this.added.has(id) || this.old.rowOf(id) !== null
  }

  /** All items: those of the base that still count, then those put in since. */
  *datapoints(): IterableIterator<Datapoint> {
    for (const item of this.items()) yield copyOf(item)
  }

  /** The same, with vectors that are not the caller's. */
  private *items(): IterableIterator<Datapoint> {
    for (const layer of this.layers()) yield* layer.items()
  }

  private layers(): readonly Layer[] {
    return [this.old, ...this.added.settled()].filter(({ size }) => size > 0)
  }

  /** Puts an item in, in place of one of its id, or takes one out. */
  apply(change: Change): void {
    this.old.drop(change.op === 'remove' ? change.id : change.datapoint.id)
    if (change.op === 'upsert') this.added.put(change.datapoint)
    else this.added.delete(change.id)
  }

  /** The items as they are, as one index that does not change. */
  exact(): ExactIndex {
    const { items, added, removed } = this.counts
    if (added + removed === 0) return this.base.exact
    const [first, ...others] = this.layers()
    // All of them were put in since: they lie as they are to lie.
    if (others.length === 0 && first?.isWhole) return first.index
    return this.indexOf(gathered(this.items(), items * this.width))
  }

  private indexOf(items: Items): ExactIndex {
    return exactOf(items, this.base.exact.similarity, this.kernels)
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
    const asked = exact.asked(queries, wanted)
    const old = this.ranked(this.old.within(asked), wanted)
    const layers = this.added.size === 0 ? [] : this.added.settled()
    if (layers.length === 0) return old.map((ranked) => exact.neighbors(ranked))
    const fresh = layers.map((layer) => {
      const { index } = layer
      return { index, ranked: index.ranker.rank(layer.within(index.asked(queries, wanted))) }
    })
    return asked.map(({ k, perCrowd }, i) => {
      const others = fresh.map(({ index, ranked }): Part => ({ index, ranked: ranked[i] }))
      return this.merged([{ index: exact, ranked: old[i] }, ...others], k, perCrowd)
    })
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

  /** Of the best of all parts the best. What crowds in one crowds in all, so that none is missing. */
  private merged(parts: readonly Part[], k: number, perCrowd: number | null): Neighbors {
    const { similarity } = this.base.exact
    // Each with its part; equals come in the parts' order.
    const found: { readonly entry: Entry; readonly index: ExactIndex; readonly row: number }[] = []
    let first = 0
    for (const { index, ranked } of parts) {
      for (const [key, row] of ranked) found.push({ entry: [key, first + row], index, row })
      first += index.ids.length
    }
    found.sort((a, b) => (before(a.entry, b.entry) ? -1 : 1))
    const sizes = new Map<string, number>()
    const best = found.filter(({ index, row }) => {
      const tag = perCrowd === null ? undefined : index.attributes?.crowdingTag(row)
      if (perCrowd === null || tag === undefined) return true
      const size = sizes.get(tag) ?? 0
      sizes.set(tag, size + 1)
      return size < perCrowd
    })
    const kept = best.slice(0, k)
    const sign = keySign(similarity)
    return {
      ids: kept.map(({ index, row }) => index.ids[row]),
      scores: Float32Array.from(kept, ({ entry: [key] }) => finish(sign * key, similarity)),
    }
  }
}

/** An index, and the best of its rows for a query. */
interface Part {
  readonly index: ExactIndex
  readonly ranked: Ranked
}

/** An index of items, of vectors of one width. */
export const exactOf = (
  { ids, vectors, attributes }: Items,
  similarity: Similarity,
  kernels: WebAssembly.Module | undefined,
): ExactIndex => new ExactIndex(ids, vectors, similarity, { ...(kernels && { kernels }), attributes, scan: 'later' })
