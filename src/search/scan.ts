import { ARENA_START, instantiate, type Kernels, type Pointer } from '../engine/kernels.ts'
import { EPSILON } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'

const PAGE = 65536
/** wasm's 32-bit address space, less a page so that an end never wraps. */
const MOST_BYTES = 2 ** 32 - PAGE
/** Items that are scanned and offered to the heap while they are in the cache. */
const CHUNK = 8192
/** Past it, or under its inverse, squares leave float32. */
const MOST_LENGTH = 2 ** 60
/** A few roundings to float32, of the value's own size. */
const ROUNDING = 2 ** -20
/** And of what is too small for that size. */
const SMALLEST = 2 ** -140
const LARGEST_BYTE = 127
const LARGEST_SHORT = 32_766
const aligned = (bytes: number, to = 64): number => Math.ceil(bytes / to) * to

/**
 * Which items can be among the nearest, by kernels over bytes. Each item is kept as bytes and a scale, with a bound of
 * what that rounding took; whoever can be among the k best within the bounds is named, so that measuring those few gives
 * what measuring all would have given. The items' mean is taken away first, which moves all products by the same: of items
 * that are much alike the bytes then hold the differences.
 *
 * Holds rows · (width padded to 16 + 12) bytes in linear memory, 4 more a row for the euclidean distance: 1 M items of 64
 * numbers are 76 MB, 10 M 760 MB.
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
  private readonly mean: Float64Array
  private readonly query: Pointer
  private readonly items: Pointer
  private readonly scales: Pointer
  private readonly slacks: Pointer
  /** Half the squared length of each item, for the euclidean distance; else 0. */
  private readonly halves: Pointer
  private readonly lower: Pointer
  private readonly free: Pointer
  /** The longest item, as it came and less the mean. */
  private longest = 0
  private farthest = 0

  private constructor(module: WebAssembly.Module, vectors: Float32Array, width: number, metric: Similarity['metric']) {
    this.rows = vectors.length / width
    this.width = width
    this.metric = metric
    this.stride = aligned(width, 16)
    this.most = Math.min(LARGEST_SHORT, Math.floor(2 ** 31 / ((LARGEST_BYTE + 1) * this.stride)) - 2)
    const list = aligned(4 * this.rows)
    this.query = ARENA_START
    this.scales = this.query + aligned(2 * this.stride)
    this.slacks = this.scales + list
    this.lower = this.slacks + list
    this.halves = metric === 'euclidean' ? this.lower + list : 0
    this.items = this.lower + list * (this.halves === 0 ? 1 : 2)
    this.free = this.items + aligned(this.rows, 4) * this.stride
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(this.free / PAGE) })
    this.kernels = instantiate(module, this.memory)
    this.mean = this.center(vectors)
    if (this.longest < MOST_LENGTH) this.fill(vectors)
  }

  /** Null where the items do not fit linear memory, or where bounds say nothing: then all are measured. */
  static of(
    module: WebAssembly.Module,
    vectors: Float32Array,
    width: number,
    metric: Similarity['metric'],
  ): Scan | null {
    if (width === 0 || vectors.length === 0) return null
    const stride = aligned(width, 16)
    if ((vectors.length / width + 16) * (stride + 16) + 2 * stride + 2 * PAGE > MOST_BYTES) return null
    const scan = new Scan(module, vectors, width, metric)
    // Not the other way round: the longest of what is not finite is NaN.
    return scan.longest < MOST_LENGTH ? scan : null
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
    const { buffer } = this.memory
    const items = new Int8Array(buffer, this.items, rows * stride)
    const scales = new Float32Array(buffer, this.scales, rows)
    const slacks = new Float32Array(buffer, this.slacks, rows)
    const halves = new Float32Array(buffer, this.halves, this.halves === 0 ? 0 : rows)
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
   * The items that may be among the `k` nearest to `query`, ascending; null where only measuring all tells.
   * @param farthest the k with the smallest product or cosine instead; of distances the smallest are the nearest
   */
  candidates(query: Float32Array, k: number, farthest: boolean): Int32Array | null {
    const { kernels, rows, stride, slacks, lower } = this
    if (k >= rows) return null
    const sought = this.sought(query, farthest)
    const length = Math.sqrt(squaresOf(sought, 0, this.width))
    const doubt = this.doubt(length)
    // Not the other way round: nothing is known of NaN.
    if (!(length > 1 / MOST_LENGTH && doubt < MOST_LENGTH)) return null
    const heap = this.roomFor(8 * k)
    const scale = this.ask(sought, length)
    let found = 0
    for (let row = 0; row < rows; row += CHUNK) {
      const count = Math.min(CHUNK, rows - row)
      const at = lower + 4 * row
      kernels.scanBytes(
        at,
        this.query,
        this.items + row * stride,
        this.scales + 4 * row,
        slacks + 4 * row,
        this.halves === 0 ? 0 : this.halves + 4 * row,
        aligned(count, 4),
        stride,
        scale,
        1 / length,
      )
      found = kernels.topkPush(heap, heap + 4 * k, found, k, at, count, row)
    }
    const least = new Float32Array(this.memory.buffer, heap, 1)[0]
    // What pads the last four rows would be among the nearest of items that are all far.
    new Float32Array(this.memory.buffer, lower, aligned(rows, 4)).fill(Number.NaN, rows)
    const named = kernels.withinReach(lower, lower, slacks, aligned(rows, 4), least - 2 * doubt)
    return new Int32Array(this.memory.buffer, lower, named).slice()
  }

  /** The query as the items are, in double: products with it rank them. */
  private sought(query: Float32Array, farthest: boolean): Float64Array {
    const turned = farthest ? -1 : 1
    return this.metric === 'euclidean'
      ? Float64Array.from(query, (value, i) => value - this.mean[i])
      : Float64Array.from(query, (value) => value * turned)
  }

  /** Writes the query, made a unit vector, as integers; returns their scale. */
  private ask(sought: Float64Array, length: number): number {
    const asked = new Int16Array(this.memory.buffer, this.query, this.stride)
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

  private roomFor(bytes: number): Pointer {
    const missing = this.free + bytes - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
    return this.free
  }
}

function squaresOf(values: Float32Array | Float64Array, from: number, width: number): number {
  let squares = 0
  for (let i = from; i < from + width; i++) squares += values[i] * values[i]
  return squares
}
