import { ACTIVATIONS, type Pointer } from '../../engine/kernels.ts'
import { packPanels } from '../../tensor/panels.ts'
import type { RowSet } from '../rowset.ts'
import { halfSquares, transposed } from './centroids.ts'
import { BOOK, pairsOf, WORDS } from './codebooks.ts'
import { BLOCK, type Filled, STEPS } from './fill.ts'
import type { Trained } from './train.ts'
import { aligned, MOST_BYTES, Workspace } from './workspace.ts'

/** What the kernel takes for itself after the tables. */
const SCRATCH = 68
/** The largest looked-up byte: four of them are one byte, and all of them at most `STEPS`. */
const LARGEST = 63
/** Bytes besides the leaves: tables, heaps, bits of rows. */
const ROOM = 2 ** 26

/** The leaves in linear memory, for one query after the other. */
export class LeafScan {
  private readonly trained: Trained
  private readonly filled: Filled
  private readonly leaves: number
  private readonly padded: number
  private readonly pairs: number
  private readonly workspace: Workspace
  private readonly panels: Pointer
  private readonly bias: Pointer
  private readonly rows: Pointer
  private readonly codes: Pointer
  private readonly heights: Pointer
  private readonly query: Pointer
  private readonly turned: Pointer
  private readonly axes: Pointer
  private readonly scores: Pointer
  private readonly tables: Pointer
  private readonly free: Pointer
  /** Of each leaf what its products are more than what `dense` says of it: of distances, where both halves are taken off. */
  private readonly raise: Float32Array

  private constructor(module: WebAssembly.Module, trained: Trained, filled: Filled) {
    const { width, centroids, axes } = trained
    const workspace = new Workspace(module)
    const far = filled.floors.length > 0
    this.trained = trained
    this.filled = filled
    this.workspace = workspace
    this.leaves = filled.sizes.length
    this.padded = aligned(this.leaves, 4)
    this.pairs = pairsOf(width)
    const bias = new Float32Array(this.padded).fill(Number.NEGATIVE_INFINITY, this.leaves)
    if (far) bias.set(halfSquares(centroids, width).map((half) => -half))
    this.raise = Float32Array.from(filled.sizes, (_, leaf) => (far ? -bias[leaf] - filled.floors[leaf] : 0))
    this.panels = workspace.put(packPanels(transposed(centroids, width), width, this.leaves))
    this.bias = workspace.put(bias)
    this.rows = workspace.put(filled.rows)
    this.codes = workspace.put(filled.codes)
    this.heights = far ? workspace.put(filled.heights) : 0
    this.axes = workspace.put(packPanels(axes, width, 2 * this.pairs))
    this.query = workspace.room(4 * width)
    this.turned = workspace.room(8 * this.pairs)
    this.scores = workspace.room(4 * this.padded)
    this.tables = workspace.room(WORDS * this.pairs + SCRATCH)
    this.free = workspace.room(0)
  }

  /** Null where the leaves do not fit linear memory. */
  static of(module: WebAssembly.Module, trained: Trained, filled: Filled): LeafScan | null {
    const { rows, codes, heights, sizes } = filled
    const bytes =
      rows.byteLength + codes.byteLength + heights.byteLength + 4 * (sizes.length + 16) * (trained.width + 4)
    return bytes + ROOM > MOST_BYTES ? null : new LeafScan(module, trained, filled)
  }

  /**
   * The items of the `wanted` best codes in the `count` nearest leaves that `allowed` has, in no order.
   * @param query `float32[width]`, of finite products
   */
  search(query: Float32Array, wanted: number, count: number, allowed: RowSet | null): Uint32Array {
    const { workspace, heights, pairs } = this
    const { kernels } = workspace
    const { starts, sizes, spans } = this.filled
    workspace.cut(this.free)
    const best = workspace.room(8 * count)
    const heap = workspace.room(8 * wanted)
    const bits = allowed === null ? 0 : workspace.put(allowed.bits)
    const { width, mean } = this.trained
    workspace.floats(this.query, width).set(heights === 0 ? query : query.map((value, i) => value - mean[i]))
    kernels.dense(this.scores, this.query, this.panels, this.bias, 1, width, this.padded, ACTIVATIONS.none, 0)
    kernels.topk(best, best + 4 * count, this.scores, this.leaves, count)
    const { scale, offset } = this.tabulate()
    const nearness = workspace.floats(best, count)
    const nearest = workspace.ints(best + 4 * count, count)
    let size = 0
    for (let i = 0; i < count; i++) {
      const leaf = nearest[i]
      const start = starts[leaf]
      size = kernels.scanCodes(
        heap,
        heap + 4 * wanted,
        size,
        wanted,
        this.tables,
        this.codes + (start / BLOCK) * pairs * WORDS,
        this.rows + 4 * start,
        heights === 0 ? 0 : heights + 2 * start,
        bits,
        sizes[leaf],
        pairs,
        scale,
        offset + nearness[i] + this.raise[leaf],
        heights === 0 ? 0 : Math.min(STEPS, Math.round(spans[leaf] / scale)),
      )
    }
    return Uint32Array.from(workspace.ints(heap + 4 * wanted, size))
  }

  /**
   * Writes the products of the query with each codeword as bytes, less the least of their pair; returns what a unit is worth
   * and what was taken away.
   */
  private tabulate(): { scale: number; offset: number } {
    const { workspace, pairs } = this
    const { width, codebooks } = this.trained
    const { dense } = workspace.kernels
    dense(this.turned, this.query, this.axes, 0, 1, width, 2 * pairs, ACTIVATIONS.none, 0)
    const query = workspace.floats(this.turned, 2 * pairs)
    const products = new Float32Array(pairs * WORDS)
    const lows = new Float32Array(pairs)
    let [span, offset] = [0, 0]
    for (let pair = 0, at = 0; pair < pairs; pair++) {
      const [p, q] = [query[2 * pair], query[2 * pair + 1]]
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
      for (let word = pair * BOOK; word < pair * BOOK + WORDS; word++) {
        const product = codebooks[word] * p + codebooks[word + WORDS] * q
        products[at++] = product
        if (product < low) low = product
        if (product > high) high = product
      }
      lows[pair] = low
      offset += low
      if (high - low > span) span = high - low
    }
    // A query that no codeword meets leaves it to the centroids.
    const scale = span > 0 ? span / Math.min(LARGEST, Math.floor(STEPS / pairs)) : 1
    const tables = workspace.bytes(this.tables, products.length)
    for (let i = 0; i < products.length; i++) tables[i] = (products[i] - lows[i >> 4]) / scale + 0.5
    return { scale, offset }
  }
}
