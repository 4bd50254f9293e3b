import { ARENA_START, instantiate, type Kernels, type Pointer } from '../engine/kernels.ts'
import type { Similarity } from '../graph/index.ts'
import { Nibbles, nibbleBytes, WIDEST } from './nibbles.ts'
import { centerOf, LARGEST_BYTE, ROUNDING, roundItems, type ScanArrays, squaresOf } from './rounding.ts'
import type { Asked, Search } from './scanquery.ts'

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
/** A chunk of which a coarse look leaves more than this share is scanned, and so are from four to 64 after it. */
const PASSED = 1 / 8
const [FEWEST_PAUSED, MOST_PAUSED] = [4, 64]
/** It leaves some ten times the share that the k best have of what was seen: so many times k are scanned before the first. */
const SEEN = 128
/** Bytes for heaps and queries that are left where the coarse look takes the rest. */
const ROOM = 2 ** 26
/** Past it, or under its inverse, squares leave float32. */
const MOST_LENGTH = 2 ** 60
/** The largest float32. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127
const LARGEST_SHORT = 32_766
const aligned = (bytes: number, to = 64): number => Math.ceil(bytes / to) * to

/** Whether linear memory holds them, with room to search. */
function fits(rows: number, width: number): boolean {
  const stride = aligned(width, 16)
  return rows > 0 && width > 0 && (rows + 16) * (stride + 16) + 2 * stride + 2 * PAGE <= MOST_BYTES
}

/** Whether a coarse look is worth its bytes: the first chunk is scanned without. */
function coarselyToo(rows: number, stride: number): boolean {
  const bytes = (rows + 16) * (stride + 16) + nibbleBytes(rows, stride)
  return rows > CHUNK && stride <= WIDEST && bytes + ROOM <= MOST_BYTES
}

/**
 * Which items can be among the nearest, by kernels over bytes. Each item is kept as bytes and a scale, with a bound of
 * what that rounding took; whoever can be among the k best within the bounds is named, so that measuring those few gives
 * what measuring all would have given. The items' mean is taken away first, which moves all products by the same: of items
 * that are much alike the bytes then hold the differences.
 *
 * Of more than 8,192 items half of each byte is kept a second time, so that all but the first of them are looked at coarsely
 * before bytes are (nibbles.ts); where that leaves too many, the bytes of all are scanned.
 *
 * Holds rows · (width padded to 16 + 8) bytes in linear memory, 4 more a row for the euclidean distance, and for the coarse
 * look rows · (half the padded width + 4): 1 M items of 64 numbers are 108 MB, 10 M 1,080 MB.
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
  /** Half of each byte again. */
  private readonly plane: Pointer
  /** Where what a search needs for itself lies. */
  private readonly free: Pointer
  private readonly coarsely: boolean
  private nibbles: Nibbles | null = null
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
    this.coarsely = coarselyToo(rows, this.stride)
    this.plane = aligned(this.items + aligned(rows, 4) * this.stride)
    this.free = aligned(this.plane + (this.coarsely ? nibbleBytes(rows, this.stride) : 0))
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((this.free + CHUNK) / PAGE) })
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
    const { mean, longest } = centerOf(vectors, width, metric)
    // Not the other way round: the longest of what is not finite is NaN.
    if (!(longest < MOST_LENGTH)) return null
    scan.mean = mean
    scan.longest = longest
    scan.farthest = roundItems(scan.held(), vectors, mean, metric, scan.stride, scan.most)
    scan.layNibbles()
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
    scan.layNibbles()
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

  private layNibbles(): void {
    const { kernels, memory, rows, width, stride, items, scales, slacks, halves, plane, free } = this
    const rounded = { rows, width, stride, items, scales, slacks, halves }
    if (this.coarsely) this.nibbles = new Nibbles(kernels, memory, rounded, plane, free, CHUNK)
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
    const each = aligned(3 * stride)
    const heaps = first + asked.length * each
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
      const at = first + i * each
      const list = within !== null && size < LISTED * this.rows ? within.list() : null
      const coarse = this.nibbles?.ask(at + 2 * stride, sought, length) ?? null
      const search = { query: at, coarse, scale: this.ask(at, sought, length), length, doubt, heap, k, within, list }
      heap += 8 * k
      return {
        ...search,
        filled: 0,
        rows: [],
        reach: [],
        paused: Math.ceil((SEEN * k * this.rows) / size / CHUNK),
        pauses: FEWEST_PAUSED,
      }
    })
  }

  private scanChunk(search: Search, row: number, count: number): void {
    const { kernels, stride, scales, slacks, halves, free } = this
    const bits = free + 2 * (4 * CHUNK)
    if (search.within !== null) {
      const words = search.within.bits.subarray(row >>> 5, (row + count + 31) >>> 5)
      if (!words.some((word) => word !== 0)) return
      new Uint32Array(this.memory.buffer, bits, words.length).set(words)
    }
    if (this.looksCoarsely(search, row, count, search.within === null ? 0 : bits)) return
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
    this.take(search, count, slacks + 4 * row, null, row)
  }

  /**
   * Scans those of a chunk that a coarse look leaves; false where it has not been taken, or has left too many. After that some
   * chunks are scanned without, four times as many each time: where bounds are too weak for these items, looking costs little.
   */
  private looksCoarsely(search: Search, row: number, count: number, bits: Pointer): boolean {
    const { nibbles, free } = this
    const { coarse } = search
    const least = this.least(search)
    if (nibbles === null || coarse === null || search.paused-- > 0 || !Number.isFinite(least)) return false
    const bound = least - 2 * search.doubt
    const found = nibbles.reaching(coarse, row, count, bound, free + 3 * (4 * CHUNK), bits, free)
    if (found === null || found.length > PASSED * count) {
      search.paused = search.pauses
      search.pauses = Math.min(MOST_PAUSED, 4 * search.pauses)
      return false
    }
    search.pauses = FEWEST_PAUSED
    if (found.length > 0) this.scanRows(search, found)
    return true
  }

  private scanList(search: Search, list: Int32Array): void {
    const rows = this.free + 3 * (4 * CHUNK)
    for (let start = 0; start < list.length; start += CHUNK) {
      const part = new Int32Array(this.memory.buffer, rows, Math.min(CHUNK, list.length - start))
      part.set(list.subarray(start, start + CHUNK))
      this.scanRows(search, part)
    }
  }

  /** @param list where all lists lie: three chunks of four bytes after what is free */
  private scanRows(search: Search, list: Int32Array): void {
    const { kernels, stride, scales, slacks, halves, free } = this
    const reach = free + 2 * (4 * CHUNK)
    const padded = new Int32Array(this.memory.buffer, list.byteOffset, aligned(list.length, 4))
    padded.fill(list[0], list.length)
    kernels.scanListed(
      free,
      reach,
      search.query,
      this.items,
      list.byteOffset,
      scales,
      slacks,
      halves,
      padded.length,
      stride,
      search.scale,
      1 / search.length,
    )
    this.take(search, list.length, reach, list, list[0])
  }

  /**
   * Offers the `count` bounds that were made last to the heap, and notes which of them can still be among the nearest.
   * @param list their rows; null where they are rows one after the other from `row` on
   */
  private take(search: Search, count: number, slacks: Pointer, list: Int32Array | null, row: number): void {
    const { kernels, free } = this
    const { buffer } = this.memory
    const { heap, k, doubt } = search
    const [lower, out] = [new Float32Array(buffer, free, CHUNK), free + 4 * CHUNK]
    // What pads the last four would be among the nearest of items that are all far.
    lower.fill(Number.NEGATIVE_INFINITY, count, aligned(count, 4))
    search.filled = kernels.topkPush(heap, heap + 4 * k, search.filled, k, free, count, row)
    const least = this.least(search)
    // While there are fewer than k all may be that are asked of: those that are not are -Infinity.
    const bound = Number.isFinite(least) ? least - 2 * doubt : -LARGEST
    const found = new Int32Array(buffer, out, kernels.withinReach(out, free, slacks, aligned(count, 4), bound))
    const slack = new Float32Array(buffer, slacks, aligned(count, 4))
    for (const i of found) {
      search.rows.push(list === null ? row + i : list[i])
      search.reach.push(Math.fround(lower[i] + Math.fround(2 * slack[i])))
    }
  }

  /** The least that an item among the k best so far can be; -Infinity while there are fewer. */
  private least({ filled, heap, k }: Search): number {
    return filled < k ? Number.NEGATIVE_INFINITY : new Float32Array(this.memory.buffer, heap, 1)[0]
  }

  /** Of those that were noted, the ones that can be among the nearest of all. */
  private named({ rows, reach, heap, doubt }: Search): Int32Array {
    const least = Math.fround(new Float32Array(this.memory.buffer, heap, 1)[0] - 2 * doubt)
    return Int32Array.from(rows.filter((_, i) => reach[i] >= least))
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
