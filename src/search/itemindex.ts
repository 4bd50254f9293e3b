import { crc32c } from '../checksum/crc32c.ts'
import { crc32cBy } from '../engine/checksum.ts'
import { finish } from '../engine/similarity.ts'
import { compileKernels } from '../engine/variants.ts'
import { CorruptModelError } from '../errors.ts'
import { type Similarity, type SimilarityChoice, similarityOf } from '../graph/index.ts'
import { builtin } from '../platform/builtin.ts'
import { type ByteSource, memorySource } from '../platform/folder.ts'
import { folderAt } from '../platform/open.ts'
import { Strings } from '../tensor/strings.ts'
import { checkApproximateOptions, type PartitionOptions } from './approximate/options.ts'
import { type PartitionArrays, type PartitionStats, Partitions } from './approximate/partitions.ts'
import { rankApproximately } from './approximate/rank.ts'
import { type AttributeArrays, type AttributeStats, Attributes } from './attributes.ts'
import { before, type Entry } from './best.ts'
import type { Datapoint, SearchOptions } from './datapoint.ts'
import { ExactIndex, type Neighbors } from './exact.ts'
import { keySign, type Ranked, type RowQuery } from './ranker.ts'
import { RowSet } from './rowset.ts'
import type { ScanArrays } from './scan.ts'
import type { DiskWriter } from './store/disk.ts'
import type { Sections } from './store/format.ts'
import type { Change, ReadLog } from './store/log.ts'
import { IndexFile } from './store/reader.ts'
import { writeIndex } from './store/writer.ts'

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
  /** Where the items came from, for people. */
  readonly source?: string
}

export interface OpenOptions extends ItemIndexOptions {
  /** Whether every checksum is looked at, which reads all at full speed; by default those of what is small. */
  readonly verify?: boolean
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
  /** What the file holds. */
  private base: ExactIndex
  /** What approximate search of it goes by. */
  private partitions: Partitions | null = null
  /** Rows of it that still count; null for all. */
  private kept: RowSet | null = null
  /** What was put in since, by id, the first put in first. */
  private readonly added = new Map<string, Datapoint>()
  /** Them as an index; null until it is asked. */
  private recent: ExactIndex | null = null
  private file: { readonly path: string; generation: string; log: ReadLog | null } | null = null
  private writer: DiskWriter | null = null
  private closed = false

  private constructor(base: ExactIndex, width: number, source: string, kernels: WebAssembly.Module | undefined) {
    this.base = base
    this.width = width
    this.similarity = base.similarity
    this.source = source
    this.kernels = kernels
  }

  /**
   * An index in memory.
   * @throws {RangeError} for vectors of different widths, numbers that are not finite, an id that is there twice
   */
  static async of(
    datapoints: Iterable<Datapoint> | AsyncIterable<Datapoint>,
    { similarity, width, duplicates = 'refuse', source = 'items', kernels }: BuildOptions,
  ): Promise<ItemIndex> {
    const items = new Map<string, Datapoint>()
    let wide = width
    for await (const datapoint of datapoints) {
      wide ??= datapoint.embedding.length
      check(datapoint, wide)
      const { id } = datapoint
      if (items.has(id)) {
        if (duplicates === 'refuse')
          throw new RangeError(
            `the id ${JSON.stringify(id)} is there twice; ids name one item each: choose one, or have the last count`,
          )
        items.delete(id)
      }
      items.set(id, datapoint)
    }
    const base = exactOf([...items.values()], wide ?? 0, similarityOf(similarity), kernels)
    return new ItemIndex(base, wide ?? 0, source, kernels)
  }

  /**
   * Opens the file of an index and what its log adds.
   * @param source a path, an address, or the bytes of the file
   * @throws {CorruptModelError} where it is no index, is damaged, or is of a newer version
   * @throws {RangeError} where there is none
   */
  static async open(
    source: string | URL | Uint8Array,
    { kernels, verify = false }: OpenOptions = {},
  ): Promise<ItemIndex> {
    const checksum = kernels === undefined ? crc32c : crc32cBy(kernels)
    const { name, path, bytes } = await fileAt(source)
    const file = await IndexFile.open(name, bytes, checksum)
    try {
      const { rows, width, similarity, generation, source: from } = file.manifest
      const log = path === null ? null : await (await import('./store/disk.ts')).readChanges(path, generation)
      // Compacted since it was opened: what its log held is in the new file.
      if (path !== null && log === null && (await generationOf(path)) !== generation)
        return await ItemIndex.open(source, { ...(kernels && { kernels }), verify })
      const ids = new Strings(
        await file.read('ids.bytes', 'uint8', { verify }),
        await file.read('ids.offsets', 'uint32', { length: rows + 1, verify }),
      )
      const vectors = await file.read('vectors', 'float32', { length: rows * width, verify })
      const attributes = Attributes.from((await file.all('attributes.', verify)) as AttributeArrays)
      const scan = kernels !== undefined && file.has('scan.items') ? await file.all('scan.', verify) : undefined
      const base = new ExactIndex(
        Array.from({ length: rows }, (_, row) => ids.text(row)),
        vectors,
        similarity,
        { ...(kernels && { kernels }), attributes, ...(scan && { scan: scan as unknown as ScanArrays }) },
      )
      const index = new ItemIndex(base, width, from, kernels)
      if (file.has('partitions.shape')) {
        const arrays = (await file.all('partitions.', verify)) as PartitionArrays
        index.partitions = Partitions.from(arrays, kernels ?? (await compileKernels()))
        if (index.partitions.rows !== rows)
          throw new CorruptModelError(name, `it has ${rows} items, and partitions of ${index.partitions.rows}`)
      }
      if (path !== null) {
        index.file = { path, generation, log }
        for (const change of log?.changes ?? []) index.apply(change)
      }
      return index
    } finally {
      await file.close()
    }
  }

  /** How many items there are. */
  get size(): number {
    return (this.kept?.size ?? this.base.ids.length) + this.added.size
  }

  /** Whether there are partitions, so that a search may be approximate. */
  get partitioned(): boolean {
    return this.partitions !== null
  }

  get(id: string): Datapoint | null {
    const [row] = this.base.rowsOf(id)
    return this.added.get(id) ?? (this.holds(row) ? this.datapoint(row) : null)
  }

  /** All items: those of the file that still count, then those put in since. */
  *datapoints(): IterableIterator<Datapoint> {
    for (let row = 0; row < this.base.ids.length; row++) if (this.holds(row)) yield this.datapoint(row)
    yield* this.added.values()
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
    for (const query of queries)
      if (query.length !== this.width)
        throw new RangeError(`the query has ${query.length} dimensions, the items have ${this.width}`)
    const { base, kept } = this
    const recent = this.recentIndex()
    const asked = base.asked(queries, wanted)
    const old = this.ranked(kept === null ? asked : within(asked, kept), wanted)
    if (recent === null) return old.map((ranked) => base.neighbors(ranked))
    const fresh = recent.ranker.rank(recent.asked(queries, wanted))
    return asked.map(({ k, perCrowd }, i) => this.merged(recent, old[i], fresh[i], k, perCrowd))
  }

  /**
   * Puts items in, in place of those of the same ids; they are found at once. In a file they are on the disk when the
   * promise is kept.
   * @throws {RangeError} for a vector of another width or a number that is not finite; then none is put in
   */
  async upsert(datapoints: readonly Datapoint[]): Promise<void> {
    for (const datapoint of datapoints) check(datapoint, this.width)
    // What an index cannot be made of must not come into the log.
    Attributes.of(datapoints)
    await this.change(datapoints.map((datapoint) => ({ op: 'upsert', datapoint })))
  }

  /** Takes items out. @returns how many of the ids there were */
  async remove(ids: readonly string[]): Promise<number> {
    const there = [...new Set(ids)].filter((id) => this.added.has(id) || this.holds(this.base.rowsOf(id)[0]))
    await this.change(there.map((id) => ({ op: 'remove', id })))
    return there.length
  }

  /**
   * Writes the index as it is to a file, in place of what is there; to its own, as `compact` does.
   * @throws {Error} where another process writes that file, or what keeps it from the disk
   */
  async save(path: string): Promise<void> {
    const { samePath, saveFile } = await import('./store/disk.ts')
    if (this.file !== null && !this.closed && samePath(path, this.file.path)) return this.compact()
    await saveFile(path, this.bytes(newGeneration()))
  }

  /** The index as it is, as a file. */
  toBytes(): Uint8Array {
    const pieces = this.bytes(newGeneration())
    const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const piece of pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    return whole
  }

  /**
   * Writes what has changed into the file and empties the log. Who has the old file open goes on with it. Partitions stay as
   * they were learned, and what was put in goes into them.
   */
  async compact(): Promise<void> {
    if (this.file !== null) await this.writing()
    const base = this.snapshot()
    await this.rewrite(base, this.partitions?.refilled(base.ranker.vectors) ?? null)
  }

  /**
   * Learns partitions of the items for approximate search, and writes them with what has changed into the file: 1 M items of
   * 64 numbers take a minute. What is put in later is searched exactly until `compact` puts it into them.
   * @throws {RangeError} where an option is out of its range, or the similarity's scale is negative: such an index is
   * searched exactly
   */
  async partition(options: PartitionOptions = {}): Promise<PartitionStats> {
    const kernels = this.kernels ?? (await compileKernels())
    if (this.file !== null) await this.writing()
    const base = this.snapshot()
    const partitions = Partitions.build(base.ranker.vectors, this.width, this.similarity, options, kernels)
    await this.rewrite(base, partitions)
    return partitions.stats()
  }

  /** With `base`, all items as they are, as what the file holds. */
  private async rewrite(base: ExactIndex, partitions: Partitions | null): Promise<void> {
    this.base = base
    this.partitions = partitions
    this.kept = null
    this.added.clear()
    this.recent = null
    if (this.file === null) return
    const writer = await this.writing()
    const generation = newGeneration()
    await writer.replace(this.bytes(generation), generation)
    this.file.generation = generation
  }

  stats(): IndexStats {
    const { width, similarity, source, base, added } = this
    const removed = base.ids.length - (this.kept?.size ?? base.ids.length)
    const changed = removed + added.size > 0
    const attributes = changed ? Attributes.of([...this.datapoints()]) : base.attributes
    return {
      items: this.size,
      width,
      similarity,
      source,
      file: base.ids.length,
      added: added.size,
      removed,
      attributes: (attributes ?? Attributes.of([])).stats(),
      partitions: this.partitions?.stats() ?? null,
    }
  }

  /** The items as they are, as one index that does not change: for who looks at it row by row. */
  snapshot(): ExactIndex {
    if (this.kept === null && this.added.size === 0) return this.base
    return exactOf([...this.datapoints()], this.width, this.similarity, this.kernels)
  }

  /** Lets another process write. What is in a file can still be searched, and no more be changed. */
  async close(): Promise<void> {
    await this.writer?.close()
    this.writer = null
    this.closed = true
  }

  /** The best rows of the base; approximately where a query wants that and there are partitions. */
  private ranked(
    asked: readonly RowQuery[],
    wanted: number | SearchOptions | readonly SearchOptions[],
  ): readonly Ranked[] {
    const { base, partitions } = this
    const each = (i: number): SearchOptions['approximate'] =>
      typeof wanted === 'number' ? false : ('k' in wanted ? wanted : wanted[i]).approximate
    const near = asked.map((query, i): Ranked | null => {
      const approximate = each(i) ?? false
      const options = typeof approximate === 'boolean' ? {} : approximate
      checkApproximateOptions(options)
      if (approximate === false || partitions === null) return null
      return rankApproximately(partitions, base.ranker, query, base.attributes?.crowds ?? null, options)
    })
    const exact = base.ranker.rank(asked.filter((_, i) => near[i] === null))
    let next = 0
    return near.map((ranked) => ranked ?? exact[next++])
  }

  private async change(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    if (this.file !== null) await (await this.writing()).append(changes)
    for (const change of changes) this.apply(change)
  }

  private async writing(): Promise<DiskWriter> {
    if (this.file === null) throw new RangeError('this index has no file')
    if (this.closed) throw new Error(`the index "${this.file.path}" was closed: open it again to change it`)
    if (this.writer === null) {
      const { DiskWriter } = await import('./store/disk.ts')
      const { path, generation, log } = this.file
      this.writer = await DiskWriter.open(path, generation, log, () => generationOf(path))
    }
    return this.writer
  }

  private apply(change: Change): void {
    const id = change.op === 'remove' ? change.id : change.datapoint.id
    const [row] = this.base.rowsOf(id)
    if (this.holds(row)) {
      this.kept ??= RowSet.all(this.base.ids.length)
      this.kept.delete(row)
    }
    this.added.delete(id)
    if (change.op === 'upsert') this.added.set(id, change.datapoint)
    this.recent = null
  }

  private holds(row: number | undefined): row is number {
    return row !== undefined && (this.kept === null || this.kept.has(row))
  }

  private datapoint(row: number): Datapoint {
    const { ids, ranker, attributes } = this.base
    const embedding = ranker.vectors.slice(row * this.width, (row + 1) * this.width)
    return { id: ids[row], embedding, ...attributes?.of(row) }
  }

  private recentIndex(): ExactIndex | null {
    if (this.added.size === 0) return null
    this.recent ??= exactOf([...this.added.values()], this.width, this.similarity, this.kernels)
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
    const first = this.base.ids.length
    const entries = [...old, ...fresh.map(([key, row]): Entry => [key, first + row])]
    entries.sort((a, b) => (before(a, b) ? -1 : 1))
    const of = (row: number): readonly [ExactIndex, number] => (row < first ? [this.base, row] : [recent, row - first])
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
    const sign = keySign(this.similarity)
    return {
      ids: found.map(([, row]) => {
        const [index, own] = of(row)
        return index.ids[own]
      }),
      scores: Float32Array.from(found, ([key]) => finish(sign * key, this.similarity)),
    }
  }

  private bytes(generation: string): readonly Uint8Array[] {
    const { width, similarity, source, kernels } = this
    const changed = this.kept !== null || this.added.size > 0
    const whole = changed ? exactOf([...this.datapoints()], width, similarity, kernels) : this.base
    const { ids, ranker, attributes } = whole
    const names = Strings.from(ids)
    const partitions = changed ? this.partitions?.refilled(ranker.vectors) : this.partitions
    const sections: Record<string, Sections[string]> = {
      'ids.bytes': names.bytes,
      'ids.offsets': names.offsets,
      vectors: ranker.vectors,
      ...under('attributes', (attributes ?? Attributes.of([])).arrays()),
      ...under('scan', (ranker.scanArrays ?? {}) as Sections),
      ...under('partitions', (partitions?.arrays() ?? {}) as Sections),
    }
    const checksum = kernels === undefined ? crc32c : crc32cBy(kernels)
    return writeIndex({ rows: ids.length, width, similarity, source }, sections, generation, checksum).pieces
  }
}

const under = (name: string, arrays: Sections): Sections =>
  Object.fromEntries(Object.entries(arrays).map(([key, array]) => [`${name}.${key}`, array]))

/** Sixteen digits, so that no two files have the same. */
const newGeneration = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')

function exactOf(
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

/** @throws {RangeError} where an item cannot be searched */
function check({ id, embedding }: Datapoint, width: number): void {
  const name = `item ${JSON.stringify(id)}`
  if (typeof id !== 'string' || id === '') throw new RangeError('an item must have an id that is not empty')
  if (embedding.length !== width || width === 0)
    throw new RangeError(`${name}: its vector has ${embedding.length} numbers, those of this index have ${width}`)
  const wrong = embedding.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0)
    throw new RangeError(`${name}: number ${wrong} of its vector is ${embedding[wrong]}, it must be finite`)
}

async function generationOf(path: string): Promise<string> {
  const { name, bytes } = await fileAt(path)
  const file = await IndexFile.open(name, bytes, crc32c)
  await file.close()
  return file.manifest.generation
}

interface OpenedFile {
  /** For messages. */
  readonly name: string
  /** On a disk, where a log may lie beside it. */
  readonly path: string | null
  readonly bytes: ByteSource
}

async function fileAt(source: string | URL | Uint8Array): Promise<OpenedFile> {
  if (source instanceof Uint8Array) return { name: 'the index', path: null, bytes: memorySource(source) }
  const text = String(source)
  const cut = text.lastIndexOf('/') + 1
  const [folder, name] = [text.slice(0, cut) || '.', text.slice(cut)]
  const isAddress = /^[a-z][a-z\d+.-]+:/i.test(text)
  const bytes = await (await folderAt(folder)).open(isAddress ? decodeURIComponent(name) : name)
  if (bytes === null) throw new RangeError(`there is no index at ${JSON.stringify(text)}`)
  return { name: text, path: builtin('node:fs') !== undefined && !isAddress ? text : null, bytes }
}
