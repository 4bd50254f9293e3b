import { ARENA_START, instantiate, type Kernels, type Pointer } from '../engine/kernels.ts'
import { EPSILON } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'
import type { RowSet } from './rowset.ts'

const PAGE = 65536
/** wasm's 32-bit address space, less a page so that an end never wraps. */
const MOST_BYTES = 2 ** 32 - PAGE
/** Items that are scanned and offered to the heap while they are in the cache, for one query after the other. */
const CHUNK = 8192
/** Of fewer items than this share a list is scanned, of more all are and the others masked: about there both take as long. */
const LISTED = 1 / 8
/** Queries that are scanned together at most, and the bytes of their heaps. */
const TOGETHER = 64
const MOST_HEAPS = 1 << 25
/** Past it, or under its inverse, squares leave float32. */
const MOST_LENGTH = 2 ** 60
/** A few roundings to float32, of the value's own size. */
const ROUNDING = 2 ** -20
/** And of what is too small for that size. */
const SMALLEST = 2 ** -140
/** The largest float32. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127
const LARGEST_BYTE = 127
const LARGEST_SHORT = 32_766
const aligned = (bytes: number, to = 64): number => Math.ceil(bytes / to) * to

/** What a scan keeps of the items: `items` i8[rows · padded width], the others one a row; `halves` is empty but for distances. */
export interface ScanArrays {
  readonly items: Int8Array
  readonly scales: Float32Array
  readonly slacks: Float32Array
  readonly halves: Float32Array
  /** float64[width]: what was taken from each item. */
  readonly mean: Float64Array
  /** The longest item, as it came and less the mean. */
  readonly lengths: Float64Array
}

/** Whether linear memory holds them, with room to search. */
function fits(rows: number, width: number): boolean {
  const stride = aligned(width, 16)
  return rows > 0 && width > 0 && (rows + 16) * (stride + 16) + 2 * stride + 2 * PAGE <= MOST_BYTES
}

/**
 * Which items can be among the nearest, by kernels over bytes. Each item is kept as bytes and a scale, with a bound of
 * what that rounding took; whoever can be among the k best within the bounds is named, so that measuring those few gives
 * what measuring all would have given. The items' mean is taken away first, which moves all products by the same: of items
 * that are much alike the bytes then hold the differences.
 *
 * Holds rows · (width padded to 16 + 8) bytes in linear memory, 4 more a row for the euclidean distance: 1 M items of 64
 * numbers are 72 MB, 10 M 720 MB.
 */
export class Scan {
  private readonly kernels: Kernels
  private readonly memory: WebAssembly.Memory
  private readonly rows: number
  private readonly width: number
  private readonly metric: Similarity['metric']
  /** Bytes of an item, and numbers of a query: the width padded. */
  private readonly stride: number
  /** The largest number that a query is rounded to, so that no sum leaves 32 bits. */
  private readonly most: number
  private mean: Float64Array
  private readonly items: Pointer
  private readonly scales: Pointer
  private readonly slacks: Pointer
  /** Half the squared length of each item, for the euclidean distance; else 0. */
  private readonly halves: Pointer
  /** Where what a search needs for itself lies. */
  private readonly free: Pointer
  /** The longest item, as it came and less the mean. */
  private longest = 0
  private farthest = 0

  private constructor(module: WebAssembly.Module, rows: number, width: number, metric: Similarity['metric']) {
    this.rows = rows
    this.width = width
    this.metric = metric
    this.stride = aligned(width, 16)
    this.most = Math.min(LARGEST_SHORT, Math.floor(2 ** 31 / ((LARGEST_BYTE + 1) * this.stride)) - 2)
    const list = aligned(4 * this.rows)
    this.scales = aligned(ARENA_START)
    this.slacks = this.scales + list
    this.halves = metric === 'euclidean' ? this.slacks + list : 0
    this.items = this.slacks + list * (this.halves === 0 ? 1 : 2)
    this.free = this.items + aligned(this.rows, 4) * this.stride
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(this.free / PAGE) })
    this.kernels = instantiate(module, this.memory)
    this.mean = new Float64Array(width)
  }

  /** Null where the items do not fit linear memory, or where bounds say nothing: then all are measured. */
  static of(
    module: WebAssembly.Module,
    vectors: Float32Array,
    width: number,
    metric: Similarity['metric'],
  ): Scan | null {
    const rows = width === 0 ? 0 : vectors.length / width
    if (!fits(rows, width)) return null
    const scan = new Scan(module, rows, width, metric)
    scan.mean = scan.center(vectors)
    // Not the other way round: the longest of what is not finite is NaN.
    if (!(scan.longest < MOST_LENGTH)) return null
    scan.fill(vectors)
    return scan
  }

  /** What `arrays()` gave for as many rows of that width and metric; null where they do not fit linear memory. */
  static from(
    module: WebAssembly.Module,
    { items, scales, slacks, halves, mean, lengths }: ScanArrays,
    rows: number,
    width: number,
    metric: Similarity['metric'],
  ): Scan | null {
    if (!fits(rows, width)) return null
    const scan = new Scan(module, rows, width, metric)
    const own = scan.held()
    if (
      items.length !== own.items.length ||
      scales.length !== rows ||
      slacks.length !== rows ||
      halves.length !== own.halves.length ||
      mean.length !== width
    )
      throw new RangeError(`what a scan keeps of ${rows} items of ${width} numbers has other lengths`)
    own.items.set(items)
    own.scales.set(scales)
    own.slacks.set(slacks)
    own.halves.set(halves)
    scan.mean = mean
    ;[scan.longest, scan.farthest] = lengths
    return scan
  }

  /** What a scan is made from again without a look at the vectors; views, valid until the next search. */
  arrays(): ScanArrays {
    return { ...this.held(), mean: this.mean, lengths: Float64Array.of(this.longest, this.farthest) }
  }

  private held(): Pick<ScanArrays, 'items' | 'scales' | 'slacks' | 'halves'> {
    const { rows } = this
    const { buffer } = this.memory
    return {
      items: new Int8Array(buffer, this.items, rows * this.stride),
      scales: new Float32Array(buffer, this.scales, rows),
      slacks: new Float32Array(buffer, this.slacks, rows),
      halves: new Float32Array(buffer, this.halves, this.halves === 0 ? 0 : rows),
    }
  }

  /** What item `row` is multiplied by before all else: cosines are products of unit vectors. */
  private unit(squares: number): number {
    return this.metric === 'cosine' ? 1 / Math.sqrt(Math.max(squares, EPSILON)) : 1
  }

  private center(vectors: Float32Array): Float64Array {
    const { width } = this
    const mean = new Float64Array(width)
    let longest = 0
    for (let at = 0; at < vectors.length; at += width) {
      const squares = squaresOf(vectors, at, width)
      const unit = this.unit(squares)
      longest = Math.max(longest, Math.sqrt(squares) * unit)
      for (let i = 0; i < width; i++) mean[i] += vectors[at + i] * unit
    }
    this.longest = longest
    return mean.map((sum) => sum / this.rows)
  }

  private fill(vectors: Float32Array): void {
    const { width, stride, rows, mean } = this
    const { items, scales, slacks, halves } = this.held()
    const rest = new Float64Array(width)
    // What rounding a unit query to `most` steps takes from it.
    const asked = Math.sqrt(width) / (2 * this.most)
    for (let row = 0, at = 0; row < rows; row++, at += width) {
      const unit = this.unit(this.metric === 'cosine' ? squaresOf(vectors, at, width) : 1)
      let [largest, squares] = [0, 0]
      for (let i = 0; i < width; i++) {
        const value = vectors[at + i] * unit - mean[i]
        rest[i] = value
        largest = Math.max(largest, Math.abs(value))
        squares += value * value
      }
      const scale = Math.fround(largest / LARGEST_BYTE)
      let errors = 0
      for (let i = 0, to = row * stride; i < width; i++, to++) {
        const byte = scale === 0 ? 0 : Math.max(-LARGEST_BYTE, Math.min(LARGEST_BYTE, Math.round(rest[i] / scale)))
        items[to] = byte
        errors += (rest[i] - scale * byte) ** 2
      }
      const [length, error] = [Math.sqrt(squares), Math.sqrt(errors)]
      this.farthest = Math.max(this.farthest, length)
      scales[row] = scale
      slacks[row] = (error + (asked + ROUNDING) * (length + error)) * (1 + ROUNDING) + SMALLEST
      if (this.halves !== 0) halves[row] = squares / 2
    }
  }

  /**
   * For each query the items that may be among the nearest, ascending; null where only measuring all tells. Items are read
   * once for all queries.
   */
  candidates(asked: readonly Asked[]): (Int32Array | null)[] {
    const found: (Int32Array | null)[] = []
    for (let first = 0; first < asked.length; ) {
      let [end, heaps] = [first, 0]
      while (end < asked.length && end - first < TOGETHER && (end === first || heaps < MOST_HEAPS))
        heaps += 8 * asked[end++].k
      found.push(...this.scanned(asked.slice(first, end)))
      first = end
    }
    return found
  }

  private scanned(asked: readonly Asked[]): (Int32Array | null)[] {
    const searches = this.begun(asked)
    const open = searches.filter((search) => search !== null)
    for (const search of open) if (search.list !== null) this.scanList(search, search.list)
    const dense = open.filter(({ list }) => list === null)
    for (let row = 0; row < this.rows && dense.length > 0; row += CHUNK)
      for (const search of dense) this.scanChunk(search, row, Math.min(CHUNK, this.rows - row))
    return searches.map((search) => (search === null ? null : this.named(search)))
  }

  /** The queries written where the kernels read them, with a heap each; null for one of which bounds say nothing. */
  private begun(asked: readonly Asked[]): (Search | null)[] {
    const { stride } = this
    const first = this.free + 4 * (4 * CHUNK)
    const heaps = first + asked.length * aligned(2 * stride)
    this.grow(heaps + asked.reduce((bytes, { k }) => bytes + 8 * k, 0))
    let heap = heaps
    return asked.map(({ query, k, farthest, within = null }, i) => {
      const size = within === null ? this.rows : within.size
      if (k >= size) return null
      const sought = this.sought(query, farthest)
      const length = Math.sqrt(squaresOf(sought, 0, this.width))
      const doubt = this.doubt(length)
      // Not the other way round: nothing is known of NaN.
      if (!(length > 1 / MOST_LENGTH && doubt < MOST_LENGTH)) return null
      const at = first + i * aligned(2 * stride)
      const list = within !== null && size < LISTED * this.rows ? within.list() : null
      const search = { query: at, scale: this.ask(at, sought, length), length, doubt, heap, k, within, list }
      heap += 8 * k
      return { ...search, filled: 0, rows: [], reach: [] }
    })
  }

  private scanChunk(search: Search, row: number, count: number): void {
    const { kernels, stride, scales, slacks, halves, free } = this
    const bits = free + 3 * (4 * CHUNK)
    if (search.within !== null) {
      const words = search.within.bits.subarray(row >>> 5, (row + count + 31) >>> 5)
      if (!words.some((word) => word !== 0)) return
      new Uint32Array(this.memory.buffer, bits, words.length).set(words)
    }
    kernels.scanBytes(
      free,
      search.query,
      this.items + row * stride,
      scales + 4 * row,
      slacks + 4 * row,
      halves === 0 ? 0 : halves + 4 * row,
      aligned(count, 4),
      stride,
      search.scale,
      1 / search.length,
    )
    if (search.within !== null) kernels.maskScores(free, bits, aligned(count, 4))
    this.take(search, count, slacks + 4 * row, row)
  }

  private scanList(search: Search, list: Int32Array): void {
    const { kernels, stride, scales, slacks, halves, free } = this
    const [reach, rows] = [free + 2 * (4 * CHUNK), free + 3 * (4 * CHUNK)]
    for (let start = 0; start < list.length; start += CHUNK) {
      const part = list.subarray(start, start + CHUNK)
      const padded = new Int32Array(this.memory.buffer, rows, aligned(part.length, 4))
      padded.fill(part[0]).set(part)
      kernels.scanListed(
        free,
        reach,
        search.query,
        this.items,
        rows,
        scales,
        slacks,
        halves,
        padded.length,
        stride,
        search.scale,
        1 / search.length,
      )
      this.take(search, part.length, reach, start)
    }
  }

  /**
   * Offers the `count` bounds that were made last to the heap, and notes which of them can still be among the nearest.
   * @param base what the first of them is numbered
   */
  private take(search: Search, count: number, slacks: Pointer, base: number): void {
    const { kernels, free } = this
    const { buffer } = this.memory
    const { heap, k, doubt } = search
    const [lower, out] = [new Float32Array(buffer, free, CHUNK), free + 4 * CHUNK]
    // What pads the last four would be among the nearest of items that are all far.
    lower.fill(Number.NEGATIVE_INFINITY, count, aligned(count, 4))
    search.filled = kernels.topkPush(heap, heap + 4 * k, search.filled, k, free, count, base)
    const least = search.filled < k ? Number.NEGATIVE_INFINITY : new Float32Array(buffer, heap, 1)[0]
    // While there are fewer than k all may be that are asked of: those that are not are -Infinity.
    const bound = Number.isFinite(least) ? least - 2 * doubt : -LARGEST
    const found = new Int32Array(buffer, out, kernels.withinReach(out, free, slacks, aligned(count, 4), bound))
    const slack = new Float32Array(buffer, slacks, aligned(count, 4))
    for (const i of found) {
      search.rows.push(base + i)
      search.reach.push(Math.fround(lower[i] + Math.fround(2 * slack[i])))
    }
  }

  /** Of those that were noted, the ones that can be among the nearest of all. */
  private named({ rows, reach, heap, doubt, list }: Search): Int32Array {
    const least = Math.fround(new Float32Array(this.memory.buffer, heap, 1)[0] - 2 * doubt)
    const kept = rows.filter((_, i) => reach[i] >= least)
    return Int32Array.from(kept, (i) => (list === null ? i : list[i]))
  }

  /** The query as the items are, in double: products with it rank them. */
  private sought(query: Float32Array, farthest: boolean): Float64Array {
    const turned = farthest ? -1 : 1
    return this.metric === 'euclidean'
      ? Float64Array.from(query, (value, i) => value - this.mean[i])
      : Float64Array.from(query, (value) => value * turned)
  }

  /** Writes the query, made a unit vector, as integers at `at`; returns their scale. */
  private ask(at: Pointer, sought: Float64Array, length: number): number {
    const asked = new Int16Array(this.memory.buffer, at, this.stride).fill(0)
    let largest = 0
    for (const value of sought) largest = Math.max(largest, Math.abs(value))
    const scale = Math.fround(largest / length / this.most)
    for (let i = 0; i < this.width; i++) asked[i] = Math.round(sought[i] / length / scale)
    return scale
  }

  /**
   * How far a product with a query made a unit vector may be off besides each item's slack: the mean's and the measuring's
   * own rounding to double, and of distances the rounding of half squares to float32. A measured distance is a double's:
   * among items much nearer to each other than to the query it makes equals of what a scan tells apart.
   */
  private doubt(length: number): number {
    const { longest, farthest } = this
    const double = (this.width + 16) * 2 ** -51
    if (this.metric !== 'euclidean') return double * longest
    return (double * (length + farthest + longest) ** 2 + ROUNDING * farthest ** 2) / length
  }

  /** Room up to `end`. */
  private grow(end: Pointer): void {
    const missing = end - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
  }
}

/** A query of a scan. */
export interface Asked {
  /** `float32[width]` */
  readonly query: Float32Array
  readonly k: number
  /** Whether the k with the smallest product or cosine are sought; of distances the smallest are the nearest. */
  readonly farthest: boolean
  /** The items that are asked of; by default all. */
  readonly within?: RowSet | null
}

/** A query under way. */
interface Search {
  readonly query: Pointer
  /** What a unit of the query's integers is worth. */
  readonly scale: number
  readonly length: number
  readonly doubt: number
  readonly heap: Pointer
  readonly k: number
  readonly within: RowSet | null
  /** The items that are asked of, where they are few. */
  readonly list: Int32Array | null
  /** How many bounds the heap holds. */
  filled: number
  /** What may be among the nearest, as far as was seen: rows, or places of the list, and the most that each can be. */
  readonly rows: number[]
  readonly reach: number[]
}

function squaresOf(values: Float32Array | Float64Array, from: number, width: number): number {
  let squares = 0
  for (let i = from; i < from + width; i++) squares += values[i] * values[i]
  return squares
}
