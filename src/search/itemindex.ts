import { compileKernels } from '../engine/variants.ts'
import { type Similarity, type SimilarityChoice, similarityOf } from '../graph/index.ts'
import { concatBytes } from '../tensor/index.ts'
import type { PartitionOptions } from './approximate/options.ts'
import { type PartitionStats, Partitions } from './approximate/partitions.ts'
import { type AttributeStats, Attributes } from './attributes.ts'
import type { Datapoint, SearchOptions } from './datapoint.ts'
import { checkQuery, type ExactIndex, type Neighbors } from './exact.ts'
import { GatheredItems, onlyRows } from './gathered.ts'
import { IdRows } from './idrows.ts'
import { generationOf, indexPieces, newGeneration, readIndex } from './indexfile.ts'
import { checkItem, copyOf } from './item.ts'
import { type Base, exactOf, ItemSet } from './itemset.ts'
import type { DiskWriter } from './store/disk.ts'
import type { Change } from './store/log.ts'

export interface ItemIndexOptions {
  /** What `compileKernels` gives, to scan many items by kernels; the answer is the same without. */
  readonly kernels?: WebAssembly.Module
}

export interface BuildOptions extends ItemIndexOptions {
  /** How queries are compared with items: of a model, `model.structure.similarity`. */
  readonly similarity: SimilarityChoice
  /** Numbers of a vector; by default those of the first item. An index without items has none but this. */
  readonly width?: number
  /** Of several items of one id: none is right, or the last. By default an error. */
  readonly duplicates?: 'refuse' | 'last'
  /** What to throw for an id that is there twice, of the items that came as `first` and `second`, counted from 0. */
  readonly twice?: (id: string, first: number, second: number) => Error
  /** Where the items came from, for people. */
  readonly source?: string
}

export interface OpenOptions extends ItemIndexOptions {
  /** Whether every checksum is looked at, which reads all at full speed; by default those of what is small. */
  readonly verify?: boolean
  /** Whether it is to be searched: where it is only changed, what a scan goes by need not be read. By default it is. */
  readonly searched?: boolean
}

export interface IndexStats {
  readonly items: number
  readonly width: number
  readonly similarity: Similarity
  readonly source: string
  /** Items of the file; those put in since; and those of the file taken out or replaced since. */
  readonly file: number
  readonly added: number
  readonly removed: number
  readonly attributes: AttributeStats
  /** What approximate search goes by; null where it is exact. */
  readonly partitions: PartitionStats | null
}

/** The file of an index that was opened from a disk. */
interface OwnFile {
  readonly path: string
  generation: string
  /** Bytes of its log when it was opened. */
  readonly logged: number
}

/**
 * Items that can be searched, got, put in and taken out: in memory, or in a file with a log of what has changed since. What
 * was put in is found at once. One process writes, any number read what was there when they opened it.
 */
export class ItemIndex {
  readonly similarity: Similarity
  /** Numbers of a vector. */
  readonly width: number
  private readonly source: string
  private readonly kernels: WebAssembly.Module | undefined
  private items: ItemSet
  /** Where it lies, and the bytes of its log when it was opened; null in memory. */
  private file: OwnFile | null = null
  /** Looks at what opening did not look at; null where there is nothing of that. */
  private check: (() => void) | null = null
  private writer: DiskWriter | null = null
  private closed = false
  /** Kept when the changes that were asked for so far are made, or have failed. */
  private changed: Promise<unknown> = Promise.resolve()

  private constructor(base: Base, width: number, source: string, kernels: WebAssembly.Module | undefined) {
    this.items = new ItemSet(base, width, kernels)
    this.width = width
    this.similarity = base.exact.similarity
    this.source = source
    this.kernels = kernels
  }

  /**
   * An index in memory.
   * @throws {RangeError} for vectors of different widths, numbers that are not finite, an id that is there twice
   */
  static async of(
    datapoints: Iterable<Datapoint> | AsyncIterable<Datapoint>,
    { similarity, width, duplicates = 'refuse', twice = isTwice, source = 'items', kernels }: BuildOptions,
  ): Promise<ItemIndex> {
    const gathered = new GatheredItems()
    let wide = width
    for await (const datapoint of datapoints) {
      wide ??= datapoint.embedding.length
      checkItem(datapoint, wide)
      gathered.add(datapoint)
    }
    let items = gathered.finish()
    const rows = new IdRows(items.ids)
    const found = rows.twice
    if (found !== null) {
      if (duplicates === 'refuse') throw twice(items.ids[found.second], found.first, found.second)
      items = onlyRows(items, rows.last())
    }
    const exact = exactOf(items, similarityOf(similarity), kernels)
    return new ItemIndex({ exact, partitions: null }, wide ?? 0, source, kernels)
  }

  /**
   * Opens the file of an index and what its log adds.
   * @param source a path, an address, or the bytes of the file
   * @throws {CorruptModelError} where it is no index, is damaged, or is of a newer version
   * @throws {RangeError} where there is none
   */
  static async open(
    source: string | URL | Uint8Array,
    { kernels, verify = false, searched = true }: OpenOptions = {},
  ): Promise<ItemIndex> {
    for (;;) {
      const { base, manifest, path, check } = await readIndex(source, { kernels, verify, searched })
      const { width, generation } = manifest
      const index = new ItemIndex(base, width, manifest.source, kernels)
      index.check = check
      if (path === null) return index
      const logged = await index.replay(path, generation).catch((error: unknown) => ({ error }))
      // Where it was compacted meanwhile, a part of what the log held is in the new file alone.
      if ((await generationOf(path)) !== generation) continue
      if (typeof logged === 'object') throw logged.error
      index.file = { path, generation, logged }
      return index
    }
  }

  /** Makes the changes of the log of the file at `path`. @returns its bytes, 0 where there is none */
  private async replay(path: string, generation: string): Promise<number> {
    const { withLog } = await import('./store/disk.ts')
    const length = await withLog(path, generation, async (log) => {
      for await (const change of log.changes()) this.items.apply(change)
      return log.length
    })
    return length ?? 0
  }

  /** How many items there are. */
  get size(): number {
    return this.items.counts.items
  }

  /** Whether there are partitions, so that a search may be approximate. */
  get partitioned(): boolean {
    return this.items.base.partitions !== null
  }

  get(id: string): Datapoint | null {
    return this.items.get(id)
  }

  /** All items: those of the file that still count, then those put in since. */
  datapoints(): IterableIterator<Datapoint> {
    return this.items.datapoints()
  }

  /**
   * The best items for `query`, `float32[width]`, as `ExactIndex.search` ranks them; with `approximate` nearly all of them.
   * Scores are exact either way.
   */
  search(query: Float32Array, wanted: number | SearchOptions): Neighbors {
    return this.searchMany([query], wanted)[0]
  }

  /** The same for several queries, each with its own options or all with one: items are read once for all of them. */
  searchMany(queries: readonly Float32Array[], wanted: number | SearchOptions | readonly SearchOptions[]): Neighbors[] {
    for (const query of queries) checkQuery(query, this.width)
    return this.items.search(queries, wanted)
  }

  /**
   * Puts items in, in place of those of the same ids; they are found at once. In a file they are on the disk when the
   * promise is kept.
   * @throws {TypeError | RangeError} for a vector that is no Float32Array, of another width, or with a number that is not
   * finite; then none is put in
   */
  async upsert(datapoints: readonly Datapoint[]): Promise<void> {
    for (const datapoint of datapoints) checkItem(datapoint, this.width)
    // What an index cannot be made of must not come into the log.
    Attributes.of(datapoints)
    // As they are now: the caller may write the next vector where this one lay.
    const changes = datapoints.map((datapoint): Change => ({ op: 'upsert', datapoint: copyOf(datapoint) }))
    await this.inTurn(() => this.change(changes))
  }

  /** Takes items out. @returns how many of the ids there were */
  async remove(ids: readonly string[]): Promise<number> {
    return this.inTurn(async () => {
      const there = [...new Set(ids)].filter((id) => this.items.has(id))
      await this.change(there.map((id) => ({ op: 'remove', id })))
      return there.length
    })
  }

  /**
   * Writes the index as it is to a file, in place of what is there; to its own, as `compact` does.
   * @throws {CorruptModelError} where what was opened is damaged, which opening does not see of large sections
   * @throws {Error} where another process writes that file, or what keeps it from the disk
   */
  async save(path: string): Promise<void> {
    await this.inTurn(async () => {
      const { samePath, saveFile } = await import('./store/disk.ts')
      if (this.file !== null && !this.closed && samePath(path, this.file.path)) await this.settle()
      else await saveFile(path, this.bytes(newGeneration()))
    })
  }

  /**
   * The index as it is, as a file.
   * @throws {CorruptModelError} where what was opened is damaged, which opening does not see of large sections
   */
  toBytes(): Uint8Array {
    return concatBytes(this.bytes(newGeneration()))
  }

  /**
   * Writes what has changed into the file and empties the log. Who has the old file open goes on with it. Partitions stay as
   * they were learned, and what was put in goes into them.
   * @throws {CorruptModelError} where the file is damaged, which opening it does not see of large sections; it stays as it is
   */
  async compact(): Promise<void> {
    await this.inTurn(() => this.settle())
  }

  /**
   * Learns partitions of the items for approximate search, and writes them with what has changed into the file: 1 M items of
   * 64 numbers take a minute. What is put in later is searched exactly until `compact` puts it into them.
   * @throws {RangeError} where an option is out of its range, or the similarity's scale is negative: such an index is
   * searched exactly
   */
  async partition(options: PartitionOptions = {}): Promise<PartitionStats> {
    return this.inTurn(async () => {
      const kernels = this.kernels ?? (await compileKernels())
      if (this.file !== null) await this.writing()
      const exact = this.snapshot()
      const partitions = Partitions.build(exact.ranker.vectors, this.width, this.similarity, options, kernels)
      await this.rewrite({ exact, partitions })
      return partitions.stats()
    })
  }

  private async settle(): Promise<void> {
    if (this.file !== null) await this.writing()
    await this.rewrite(this.items.settled())
  }

  /** Sees that what was read is as it was written, once: else damage would be written again with a sum that holds. */
  private verify(): void {
    this.check?.()
    this.check = null
  }

  /** With `base`, all items as they are, as what the file holds. */
  private async rewrite(base: Base): Promise<void> {
    this.verify()
    this.items = new ItemSet(base, this.width, this.kernels)
    if (this.file === null) return
    const writer = await this.writing()
    const generation = newGeneration()
    await writer.replace(this.bytes(generation), generation)
    this.file.generation = generation
  }

  stats(): IndexStats {
    const { exact, partitions } = this.items.base
    const { items, added, removed } = this.items.counts
    const attributes = removed + added > 0 ? Attributes.of(this.datapoints()) : exact.attributes
    return {
      items,
      width: this.width,
      similarity: this.similarity,
      source: this.source,
      file: exact.ids.length,
      added,
      removed,
      attributes: (attributes ?? Attributes.of([])).stats(),
      partitions: partitions?.stats() ?? null,
    }
  }

  /** The items as they are, as one index that does not change: for who looks at it row by row. */
  snapshot(): ExactIndex {
    return this.items.exact()
  }

  /**
   * Lets another process write, once the changes before are made. What is in a file can still be searched, and no more be
   * changed.
   */
  async close(): Promise<void> {
    await this.inTurn(async () => {
      this.closed = true
      await this.writer?.close()
      this.writer = null
    })
  }

  /**
   * Makes a change of a file after those that were asked for before it: a log has its records one after the other, and what is
   * put in while the file is written anew must come into the log that follows it. In memory there is nothing to wait for.
   */
  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    if (this.file === null) return change()
    const made = this.changed.then(change)
    this.changed = made.catch(() => {})
    return made
  }

  private async change(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    if (this.file !== null) await (await this.writing()).append(changes)
    for (const change of changes) this.items.apply(change)
  }

  private async writing(): Promise<DiskWriter> {
    if (this.file === null) throw new RangeError('this index has no file')
    if (this.closed) throw new Error(`the index "${this.file.path}" was closed: open it again to change it`)
    if (this.writer === null) {
      const { DiskWriter } = await import('./store/disk.ts')
      const { path, generation, logged } = this.file
      this.writer = await DiskWriter.open(path, generation, logged, () => generationOf(path))
    }
    return this.writer
  }

  private bytes(generation: string): readonly Uint8Array[] {
    this.verify()
    return indexPieces(this.items.settled(), { width: this.width, source: this.source }, generation, this.kernels)
  }
}

const isTwice = (id: string): Error =>
  new RangeError(
    `the id ${JSON.stringify(id)} is there twice; ids name one item each: choose one, or have the last count`,
  )
