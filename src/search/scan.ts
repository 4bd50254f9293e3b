import { ARENA_START, instantiate, type Kernels, type Pointer } from '../engine/kernels.ts'
import { EPSILON } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'

const PAGE = 65536
/** wasm's 32-bit address space, less a page so that an end never wraps. */
const MOST_BYTES = 2 ** 32 - PAGE
/** Past it a sum in float32 might overflow. */
const MOST_ERROR = 2 ** 80
const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64

/**
 * Which items can be among the nearest, by kernels in float32. Sums in float32 are off by some units in the last place; every
 * item that could be among the k best with that error is named, so that measuring those few in double gives what measuring
 * all would have given.
 *
 * Holds a copy of the items, rows · (4 · width + 4) bytes in linear memory, as unit vectors for the cosine: 1 M items of 64
 * numbers are 260 MB, 10 M 2.6 GB.
 */
export class Scan {
  private readonly kernels: Kernels
  private readonly memory: WebAssembly.Memory
  private readonly rows: number
  private readonly width: number
  private readonly metric: Similarity['metric']
  private readonly items: Pointer
  private readonly scores: Pointer
  /** Half the squared length of each item, for the euclidean distance; else 0. */
  private readonly halves: Pointer
  private readonly query: Pointer
  private readonly free: Pointer
  /** The longest item. */
  private readonly longest: number

  private constructor(module: WebAssembly.Module, vectors: Float32Array, width: number, metric: Similarity['metric']) {
    this.rows = vectors.length / width
    this.width = width
    this.metric = metric
    const [vector, list] = [aligned(4 * width), aligned(4 * this.rows)]
    this.query = ARENA_START
    this.scores = this.query + vector
    this.halves = metric === 'euclidean' ? this.scores + list : 0
    this.items = this.scores + list * (this.halves === 0 ? 1 : 2)
    this.free = this.items + aligned(4 * vectors.length)
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(this.free / PAGE) })
    this.kernels = instantiate(module, this.memory)
    this.longest = this.fill(vectors)
  }

  /** Null where the items do not fit linear memory, or where a number of theirs is not finite: then all are measured. */
  static of(
    module: WebAssembly.Module,
    vectors: Float32Array,
    width: number,
    metric: Similarity['metric'],
  ): Scan | null {
    if (width === 0 || vectors.length === 0) return null
    if ((vectors.length / width) * (4 * width + 8) + 4 * width + 2 * PAGE > MOST_BYTES) return null
    const scan = new Scan(module, vectors, width, metric)
    return Number.isFinite(scan.longest) ? scan : null
  }

  private fill(vectors: Float32Array): number {
    const { width, rows, metric } = this
    const items = new Float32Array(this.memory.buffer, this.items, vectors.length)
    const halves = new Float32Array(this.memory.buffer, this.halves, this.halves === 0 ? 0 : rows)
    if (metric !== 'cosine') items.set(vectors)
    let longest = 0
    for (let row = 0, at = 0; row < rows; row++, at += width) {
      let squares = 0
      for (let i = at; i < at + width; i++) squares += vectors[i] * vectors[i]
      if (!Number.isFinite(squares)) return squares
      longest = Math.max(longest, squares)
      if (metric === 'euclidean') halves[row] = squares / 2
      if (metric === 'cosine') {
        const scale = 1 / Math.sqrt(Math.max(squares, EPSILON))
        for (let i = at; i < at + width; i++) items[i] = vectors[i] * scale
      }
    }
    return metric === 'cosine' ? 1 : Math.sqrt(longest)
  }

  /**
   * The items that may be among the `k` nearest to `query`, ascending; null where only measuring all tells.
   * @param farthest the k with the smallest product or cosine instead; of distances the smallest are the nearest
   */
  candidates(query: Float32Array, k: number, farthest: boolean): Int32Array | null {
    const { kernels, rows, width, metric } = this
    if (k >= rows) return null
    let squares = 0
    for (const value of query) squares += value * value
    const length = Math.sqrt(squares)
    const error = this.error(metric === 'cosine' ? 1 : length)
    if (!(error < MOST_ERROR)) return null
    const turned = (farthest ? -1 : 1) * (metric === 'cosine' ? 1 / Math.sqrt(Math.max(squares, EPSILON)) : 1)
    const room = this.roomFor(8 * k)
    const asked = new Float32Array(this.memory.buffer, this.query, width)
    for (let i = 0; i < width; i++) asked[i] = query[i] * turned
    kernels.scan(this.scores, this.query, this.items, rows, width)
    // The nearest has the largest q · x − ½ x²: what is left of the squared distance when q² is taken away.
    if (this.halves !== 0) kernels.sub(this.scores, this.scores, this.halves, 1, rows, rows, 1, rows, 1)
    const found = kernels.topk(room, room + 4 * k, this.scores, rows, k)
    const scores = new Float32Array(this.memory.buffer, this.scores, rows)
    const worst = new Float32Array(this.memory.buffer, room, found)[found - 1]
    const least = worst - 2 * error
    const named: number[] = []
    for (let i = 0; i < rows; i++) if (!(scores[i] < least)) named.push(i)
    return Int32Array.from(named)
  }

  /**
   * How far a score may be off: of a sum of n products (n + 2) half units of what its terms' sizes add up to, which the
   * lengths bound (Cauchy and Schwarz), and as much again for what was rounded before, unit vectors and half squares. A
   * measured distance is a double's: among items much shorter than the query it makes equals of what a scan tells apart.
   */
  private error(length: number): number {
    const size = length * this.longest + (this.halves === 0 ? 0 : this.longest * this.longest)
    const measured = this.halves === 0 ? 0 : length * length * (this.width + 8) * 2 ** -52
    return (this.width + 8) * 2 ** -23 * size + measured + 2 ** -140
  }

  private roomFor(bytes: number): Pointer {
    const missing = this.free + bytes - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
    return this.free
  }
}
