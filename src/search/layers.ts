import type { Datapoint } from './datapoint.ts'
import type { ExactIndex } from './exact.ts'
import { GatheredItems, gathered, type Items, onlyRows } from './gathered.ts'
import { copyOf } from './item.ts'
import type { RowQuery } from './ranker.ts'
import { RowSet } from './rowset.ts'

/** Items that wait at most: each takes several times the room that it has where it is laid out. */
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

  /** Whether all of them do. */
  get isWhole(): boolean {
    return this.kept === null
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

/** Items laid out one after the other as an index has them, but for those that no longer count. */
class Laid {
  private readonly items: GatheredItems
  /** The row of each that counts, ascending. */
  private readonly rows = new Map<string, number>()
  private next = 0

  /** @param floats how many numbers are to come at first */
  constructor(floats: number) {
    this.items = new GatheredItems(floats)
  }

  get size(): number {
    return this.rows.size
  }

  /** How many no longer count. */
  get dropped(): number {
    return this.next - this.size
  }

  has(id: string): boolean {
    return this.rows.has(id)
  }

  /** Puts an item in behind the others, whose id none of them has. */
  add(item: Datapoint): void {
    this.items.add(item)
    this.rows.set(item.id, this.next++)
  }

  /** @returns whether it was there */
  drop(id: string): boolean {
    return this.rows.delete(id)
  }

  finish(): Items {
    const items = this.items.finish()
    return this.dropped === 0 ? items : onlyRows(items, [...this.rows.values()])
  }
}

/**
 * Items that are put in one after the other, as a few indexes to be searched: each has at least twice as many as the next, so
 * that an item that is searched at once is put into another as often as its number has digits, and not each time that
 * one comes. As long as nothing is searched they are laid out as an index has them, and become one as they lie.
 */
export class Layers {
  /** Numbers of a vector. */
  private readonly width: number
  private readonly indexOf: (items: Items) => ExactIndex
  /** The first put in first. */
  private layers: Layer[] = []
  /** Those in no layer yet; they come after the layers. */
  private laid: Laid | null = null
  /** Those that are not laid out yet; they come after all others. */
  private readonly waiting = new Map<string, Datapoint>()

  constructor(width: number, indexOf: (items: Items) => ExactIndex) {
    this.width = width
    this.indexOf = indexOf
  }

  get size(): number {
    return this.layers.reduce((sum, { size }) => sum + size, this.waiting.size + (this.laid?.size ?? 0))
  }

  has(id: string): boolean {
    return this.waiting.has(id) || this.laid?.has(id) === true || this.layers.some((layer) => layer.rowOf(id) !== null)
  }

  /** An item, its own. */
  get(id: string): Datapoint | undefined {
    const waiting = this.waiting.get(id)
    if (waiting !== undefined) return copyOf(waiting)
    for (const layer of this.laid?.has(id) === true ? this.settled() : this.layers) {
      const row = layer.rowOf(id)
      if (row !== null) return layer.datapoint(row)
    }
    return undefined
  }

  /** Puts an item in behind all others. */
  put(item: Datapoint): void {
    this.delete(item.id)
    this.waiting.set(item.id, item)
    if (this.waiting.size === MOST_WAITING) this.lay()
  }

  delete(id: string): void {
    if (this.waiting.delete(id) || this.laid?.drop(id) === true) return
    this.layers.some((layer) => layer.drop(id))
  }

  /** All items in layers, the first put in first. */
  settled(): readonly Layer[] {
    if (this.waiting.size > 0) this.lay()
    this.close()
    return this.layers
  }

  /** Lays out those that wait. */
  private lay(): void {
    const { waiting } = this
    // Most of what lies there was put in anew or taken out.
    if (this.laid !== null && this.laid.dropped > this.laid.size) this.close()
    this.laid ??= new Laid(waiting.size * this.width)
    for (const item of waiting.values()) this.laid.add(item)
    waiting.clear()
  }

  /** Makes a layer of what is laid out, and one of the last layers as far as each is not twice as large as those after it. */
  private close(): void {
    const { laid, layers, width } = this
    if (laid === null) return
    this.laid = null
    if (laid.size === 0) return
    let [first, count] = [layers.length, laid.size]
    while (first > 0 && layers[first - 1].size < 2 * count) count += layers[--first].size
    const last = [...layers.slice(first), new Layer(this.indexOf(laid.finish()))]
    function* items(): IterableIterator<Datapoint> {
      for (const layer of last) yield* layer.items()
    }
    const merged = last.length === 1 ? last[0] : new Layer(this.indexOf(gathered(items(), count * width)))
    this.layers = [...layers.slice(0, first), merged]
  }
}
