import type { Pointer } from '../engine/kernels.ts'
import { aligned, PAGE } from '../engine/linear.ts'
import { ROUNDING, squaresOf } from './rounding.ts'
import { CHUNK, MOST_LENGTH, type ScanItems } from './scanitems.ts'
import type { Asked, Search } from './scanquery.ts'

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
/** The largest float32. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127

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
  /** What is scanned. */
  readonly of: ScanItems

  constructor(of: ScanItems) {
    this.of = of
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
    const { rows } = this.of
    for (let row = 0; row < rows && dense.length > 0; row += CHUNK)
      for (const search of dense) this.scanChunk(search, row, Math.min(CHUNK, rows - row))
    return searches.map((search) => (search === null ? null : this.named(search)))
  }

  /** The queries written where the kernels read them, with a heap each; null for one of which bounds say nothing. */
  private begun(asked: readonly Asked[]): (Search | null)[] {
    const { rows, width, stride, free, nibbles } = this.of
    const first = free + 4 * (4 * CHUNK)
    const each = aligned(3 * stride)
    const heaps = first + asked.length * each
    // One that wants all of the rows gets no heap, however many more it asks for.
    this.grow(heaps + asked.reduce((bytes, { k }) => bytes + (k < rows ? 8 * k : 0), 0))
    let heap = heaps
    return asked.map(({ query, k, farthest, within = null }, i) => {
      const size = within === null ? rows : within.size
      if (k >= size) return null
      const sought = this.sought(query, farthest)
      const length = Math.sqrt(squaresOf(sought, 0, width))
      const doubt = this.doubt(length)
      // Not the other way round: nothing is known of NaN.
      if (!(length > 1 / MOST_LENGTH && doubt < MOST_LENGTH)) return null
      const at = first + i * each
      const list = within !== null && size < LISTED * rows ? within.list() : null
      const coarse = nibbles?.ask(at + 2 * stride, sought, length) ?? null
      const search = { query: at, coarse, scale: this.ask(at, sought, length), length, doubt, heap, k, within, list }
      heap += 8 * k
      return {
        ...search,
        filled: 0,
        rows: [],
        reach: [],
        paused: Math.ceil((SEEN * k * rows) / size / CHUNK),
        pauses: FEWEST_PAUSED,
      }
    })
  }

  private scanChunk(search: Search, row: number, count: number): void {
    const { kernels, memory, stride, items, scales, slacks, halves, free } = this.of
    const bits = free + 2 * (4 * CHUNK)
    if (search.within !== null) {
      const words = search.within.bits.subarray(row >>> 5, (row + count + 31) >>> 5)
      if (!words.some((word) => word !== 0)) return
      new Uint32Array(memory.buffer, bits, words.length).set(words)
    }
    if (this.looksCoarsely(search, row, count, search.within === null ? 0 : bits)) return
    kernels.scanBytes(
      free,
      search.query,
      items + row * stride,
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
    const { nibbles, free } = this.of
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
    const { memory, free } = this.of
    const rows = free + 3 * (4 * CHUNK)
    for (let start = 0; start < list.length; start += CHUNK) {
      const part = new Int32Array(memory.buffer, rows, Math.min(CHUNK, list.length - start))
      part.set(list.subarray(start, start + CHUNK))
      this.scanRows(search, part)
    }
  }

  /** @param list where all lists lie: three chunks of four bytes after what is free */
  private scanRows(search: Search, list: Int32Array): void {
    const { kernels, memory, stride, items, scales, slacks, halves, free } = this.of
    const reach = free + 2 * (4 * CHUNK)
    const padded = new Int32Array(memory.buffer, list.byteOffset, aligned(list.length, 4))
    padded.fill(list[0], list.length)
    kernels.scanListed(
      free,
      reach,
      search.query,
      items,
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
    const { kernels, memory, free } = this.of
    const { buffer } = memory
    const { heap, k, doubt } = search
    const [lower, out] = [new Float32Array(buffer, free, CHUNK), free + 4 * CHUNK]
    // What pads the last four would be among the nearest of items that are all far.
    lower.fill(-Infinity, count, aligned(count, 4))
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
    return filled < k ? -Infinity : new Float32Array(this.of.memory.buffer, heap, 1)[0]
  }

  /** Of those that were noted, the ones that can be among the nearest of all. */
  private named({ rows, reach, heap, doubt }: Search): Int32Array {
    const least = Math.fround(new Float32Array(this.of.memory.buffer, heap, 1)[0] - 2 * doubt)
    return Int32Array.from(rows.filter((_, i) => reach[i] >= least))
  }

  /** The query as the items are, in double: products with it rank them. */
  private sought(query: Float32Array, farthest: boolean): Float64Array {
    const { metric, mean } = this.of
    const turned = farthest ? -1 : 1
    return metric === 'euclidean'
      ? Float64Array.from(query, (value, i) => value - mean[i])
      : Float64Array.from(query, (value) => value * turned)
  }

  /** Writes the query, made a unit vector, as integers at `at`; returns their scale. */
  private ask(at: Pointer, sought: Float64Array, length: number): number {
    const { memory, width, stride, most } = this.of
    const asked = new Int16Array(memory.buffer, at, stride).fill(0)
    let largest = 0
    for (const value of sought) largest = Math.max(largest, Math.abs(value))
    const scale = Math.fround(largest / length / most)
    for (let i = 0; i < width; i++) asked[i] = Math.round(sought[i] / length / scale)
    return scale
  }

  /**
   * How far a product with a query made a unit vector may be off besides each item's slack: the mean's and the measuring's
   * own rounding to double, and of distances the rounding of half squares to float32. A measured distance is a double's:
   * among items much nearer to each other than to the query it makes equals of what a scan tells apart.
   */
  private doubt(length: number): number {
    const { width, metric, longest, farthest } = this.of
    const double = (width + 16) * 2 ** -51
    if (metric !== 'euclidean') return double * longest
    return (double * (length + farthest + longest) ** 2 + ROUNDING * farthest ** 2) / length
  }

  /** Room up to `end`. */
  private grow(end: Pointer): void {
    const { memory } = this.of
    const missing = end - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE))
  }
}
