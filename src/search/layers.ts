import type { Datapoint } from './datapoint.ts'
import type { ExactIndex } from './exact.ts'
import type { RowQuery } from './ranker.ts'
import { RowSet } from './rowset.ts'

/** Items that do not change, and which of them still count. */
export class Layer {
  readonly index: ExactIndex
  /** Rows that still count; null for all. */
  private kept: RowSet | null = null

  constructor(index: ExactIndex) {
    this.index = index
  }

  /** How many still count. */
  get size(): number {
    return this.kept?.size ?? this.index.ids.length
  }

  /** The row of an item that still counts, or null. */
  rowOf(id: string): number | null {
    const [row] = this.index.rowsOf(id)
    return row !== undefined && this.holds(row) ? row : null
  }

  holds(row: number): boolean {
    return this.kept === null || this.kept.has(row)
  }

  /** Lets an item count no longer. @returns whether it did */
  drop(id: string): boolean {
    const row = this.rowOf(id)
    if (row === null) return false
    this.kept ??= RowSet.all(this.index.ids.length)
    this.kept.delete(row)
    return true
  }

  /** What is asked of those that still count. */
  within(asked: readonly RowQuery[]): readonly RowQuery[] {
    const { kept } = this
    if (kept === null) return asked
    const known = new Map<RowSet, RowSet>()
    return asked.map((query) => {
      if (query.within === null) return { ...query, within: kept }
      const both = known.get(query.within) ?? query.within.copy()
      both.intersect(kept)
      known.set(query.within, both)
      return { ...query, within: both }
    })
  }
}

/**
 * Items that are put in one after the other, as a few indexes to be searched: each has at least twice as many as the next, so
 * that an item that is searched at once is put into another as often as its number has digits, and not each time that
 * one comes.
 */
export class Layers {
  private readonly indexOf: (items: readonly Datapoint[]) => ExactIndex
  /** All of them, the first put in first. */
  private readonly items = new Map<string, Datapoint>()
  /** Those in no layer yet; they come after all others. */
  private readonly waiting = new Map<string, Datapoint>()
  private layers: Layer[] = []

  constructor(indexOf: (items: readonly Datapoint[]) => ExactIndex) {
    this.indexOf = indexOf
  }

  get size(): number {
    return this.items.size
  }

  get(id: string): Datapoint | undefined {
    return this.items.get(id)
  }

  values(): IterableIterator<Datapoint> {
    return this.items.values()
  }

  /** Puts an item in behind all others. */
  put(item: Datapoint): void {
    this.delete(item.id)
    this.items.set(item.id, item)
    this.waiting.set(item.id, item)
  }

  delete(id: string): void {
    if (!this.items.delete(id) || this.waiting.delete(id)) return
    this.layers.some((layer) => layer.drop(id))
  }

  /** All items in layers, the first put in first. */
  settled(): readonly Layer[] {
    if (this.waiting.size > 0) {
      let [first, count] = [this.layers.length, this.waiting.size]
      while (first > 0 && this.layers[first - 1].size < 2 * count) count += this.layers[--first].size
      const held = this.layers.slice(first).flatMap((layer) => layer.index.ids.filter((_, row) => layer.holds(row)))
      const items = [...held.flatMap((id) => this.items.get(id) ?? []), ...this.waiting.values()]
      this.layers = [...this.layers.slice(0, first), new Layer(this.indexOf(items))]
      this.waiting.clear()
    }
    return this.layers
  }
}
