import type { Datapoint } from './datapoint.ts'
import type { ExactIndex } from './exact.ts'
import { copyOf } from './item.ts'
import type { RowQuery } from './ranker.ts'
import { RowSet } from './rowset.ts'

/** Items that wait at most: each takes several times the room that it has in a layer. */
const MOST_WAITING = 4096

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

  /** An item, its own. */
  datapoint(row: number): Datapoint {
    return copyOf(this.view(row))
  }

  /** The items that still count; their vectors are the index's. */
  *items(): IterableIterator<Datapoint> {
    for (let row = 0; row < this.index.ids.length; row++) if (this.holds(row)) yield this.view(row)
  }

  private view(row: number): Datapoint {
    const { ids, ranker, attributes, width } = this.index
    return { id: ids[row], embedding: ranker.vectors.subarray(row * width, (row + 1) * width), ...attributes?.of(row) }
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
  private readonly indexOf: (items: Iterable<Datapoint>, count: number) => ExactIndex
  /** The first put in first. */
  private layers: Layer[] = []
  /** Those in no layer yet; they come after all others. */
  private readonly waiting = new Map<string, Datapoint>()

  constructor(indexOf: (items: Iterable<Datapoint>, count: number) => ExactIndex) {
    this.indexOf = indexOf
  }

  get size(): number {
    return this.layers.reduce((sum, { size }) => sum + size, this.waiting.size)
  }

  has(id: string): boolean {
    return this.waiting.has(id) || this.layers.some((layer) => layer.rowOf(id) !== null)
  }

  /** An item, its own. */
  get(id: string): Datapoint | undefined {
    const waiting = this.waiting.get(id)
    if (waiting !== undefined) return copyOf(waiting)
    for (const layer of this.layers) {
      const row = layer.rowOf(id)
      if (row !== null) return layer.datapoint(row)
    }
    return undefined
  }

  /** All of them; their vectors are whose they are. */
  *items(): IterableIterator<Datapoint> {
    for (const layer of this.layers) yield* layer.items()
    yield* this.waiting.values()
  }

  /** Puts an item in behind all others. */
  put(item: Datapoint): void {
    this.delete(item.id)
    this.waiting.set(item.id, item)
    if (this.waiting.size === MOST_WAITING) this.settled()
  }

  delete(id: string): void {
    if (!this.waiting.delete(id)) this.layers.some((layer) => layer.drop(id))
  }

  /** All items in layers, the first put in first. */
  settled(): readonly Layer[] {
    const { layers, waiting } = this
    if (waiting.size > 0) {
      let [first, count] = [layers.length, waiting.size]
      while (first > 0 && layers[first - 1].size < 2 * count) count += layers[--first].size
      function* items(): IterableIterator<Datapoint> {
        for (const layer of layers.slice(first)) yield* layer.items()
        yield* waiting.values()
      }
      this.layers = [...layers.slice(0, first), new Layer(this.indexOf(items(), count))]
      waiting.clear()
    }
    return this.layers
  }
}
