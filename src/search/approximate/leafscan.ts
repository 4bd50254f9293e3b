import { ACTIVATIONS, type Pointer } from '../../engine/kernels.ts'
import { aligned, MOST_BYTES } from '../../engine/linear.ts'
import { packPanels } from '../../tensor/panels.ts'
import type { RowSet } from '../rowset.ts'
import { ByteCentroids } from './bytecentroids.ts'
import { halfSquares } from './centroids.ts'
import { BOOK, pairsOf, WORDS } from './codebooks.ts'
import { BLOCK, type Filled, STEPS } from './fill.ts'
import { squaresOf } from './rows.ts'
import type { Trained } from './train.ts'
import { Workspace } from './workspace.ts'

/** What the kernel takes for itself after the tables. */
const SCRATCH = 68
/** The largest looked-up byte: four of them are one byte, and all of them at most `STEPS`. */
const LARGEST = 63
/** Bytes besides the leaves: tables, heaps, bits of rows. */
const ROOM = 2 ** 26

/** Leaves that are put in order at first: most queries need no more. */
const ORDERED = 32
/**
 * What is left of an item less its centroid points about anywhere: along a unit query it is a √width-th of the leaf's spread.
 * So many times that a leaf's best are likely to be nearer than its centroid, and no item is likely to be. Of GloVe's words
 * 2 to 4 did equally well for choosing leaves, of a shop's items 2 to 3, and took a sixth to a third of the leaves away; up
 * to 5 nothing more was found by looking on.
 */
const [LIKELY, UTMOST] = [3, 5]

/**
 * How far a unit query lies from what it is asked of, at most 1. What is left of a unit vector less its centroid is across to it,
 * so that along a query no more of it counts than the query is away: little, where all vectors have most of themselves in common.
 */
function apart({ width, metric, centroids }: Trained, { sizes }: Filled): number {
  if (metric !== 'cosine') return 1
  const mean = new Float64Array(width)
  let items = 0
  sizes.forEach((size, leaf) => {
    items += size
    for (let i = 0; i < width; i++) mean[i] += size * centroids[leaf * width + i]
  })
  const common = mean.reduce((sum, value) => sum + (value / Math.max(1, items)) ** 2, 0)
  // The distance of two unit vectors is on average the root of 2 − 2 |mean|².
  return Math.min(1, Math.sqrt(Math.max(0, 2 - 2 * common)))
}

/** The items of the best codes, the best first. */
export interface Named {
  readonly rows: Uint32Array
  /**
   * What the codes say of each: of dot products and cosines its product with the query made a unit vector, of distances half of
   * what the squared distance is less than the square of `length`.
   */
  readonly codes: Float32Array
  /** Of the query, of distances as seen from the items' mean. */
  readonly length: number
  /** How many partitions were looked into. */
  readonly leaves: number
}

/** The leaves in linear memory, for one query after the other. */
export class LeafScan {
  private readonly trained: Trained
  private readonly filled: Filled
  private readonly leaves: number
  private readonly pairs: number
  private readonly workspace: Workspace
  private readonly centroids: ByteCentroids
  private readonly rows: Pointer
  private readonly codes: Pointer
  private readonly heights: Pointer
  private readonly query: Pointer
  private readonly turned: Pointer
  private readonly axes: Pointer
  private readonly scores: Pointer
  private readonly tables: Pointer
  private readonly free: Pointer
  /** Of each leaf how much more than its centroid's product with a unit query that of its best item is likely to be. */
  private readonly reaches: Float32Array
  /** What a leaf's products are more than its score, which has its reach added, or half its square taken off. */
  private readonly raise: Float32Array

  private constructor(module: WebAssembly.Module, trained: Trained, filled: Filled) {
    const { width, centroids, axes } = trained
    const workspace = new Workspace(module)
    const far = filled.floors.length > 0
    this.trained = trained
    this.filled = filled
    this.workspace = workspace
    this.leaves = filled.sizes.length
    this.pairs = pairsOf(width)
    const likely = (LIKELY * apart(trained, filled)) / Math.sqrt(width)
    this.reaches = filled.spreads.map((spread) => spread * likely)
    const added = far ? halfSquares(centroids, width).map((half) => -half) : this.reaches
    this.raise = Float32Array.from(added, (more, leaf) => -more - (far ? filled.floors[leaf] : 0))
    this.centroids = new ByteCentroids(workspace, centroids, width, added)
    this.rows = workspace.put(filled.rows)
    this.codes = workspace.put(filled.codes)
    this.heights = far ? workspace.put(filled.heights) : 0
    this.axes = workspace.put(packPanels(axes, width, 2 * this.pairs))
    this.query = workspace.room(4 * width)
    this.turned = workspace.room(8 * this.pairs)
    this.scores = workspace.room(4 * aligned(this.leaves, 4))
    this.tables = workspace.room(WORDS * this.pairs + SCRATCH)
    this.free = workspace.room(0)
  }

  /** Null where the leaves do not fit linear memory. */
  static of(module: WebAssembly.Module, trained: Trained, filled: Filled): LeafScan | null {
    const { rows, codes, heights, sizes } = filled
    const bytes = rows.byteLength + codes.byteLength + heights.byteLength + (sizes.length + 16) * (trained.width + 32)
    return bytes + ROOM > MOST_BYTES ? null : new LeafScan(module, trained, filled)
  }

  /**
   * The items of the `wanted` best codes in the `count` nearest leaves that `allowed` has. Leaves that are not likely to hold
   * one of them are left out, so that a query with clear answers looks into few.
   * @param query `float32[width]`, of finite products
   */
  search(query: Float32Array, wanted: number, count: number, allowed: RowSet | null): Named {
    const { workspace, heights, pairs } = this
    const { kernels } = workspace
    const { starts, sizes, spans } = this.filled
    workspace.cut(this.free)
    const best = workspace.room(8 * count)
    const heap = workspace.room(8 * wanted)
    const bits = allowed === null ? 0 : workspace.put(allowed.bits)
    const { width, metric, mean } = this.trained
    const moved = metric === 'euclidean' ? query.map((value, i) => value - mean[i]) : query
    const length = Math.sqrt(squaresOf(moved, 0, width))
    const asked = metric === 'euclidean' ? moved : moved.map((value) => value / length)
    workspace.floats(this.query, width).set(asked)
    const base = this.centroids.score(this.scores, asked)
    const { scale, offset } = this.tabulate()
    const nearness = workspace.floats(best, count)
    const nearest = workspace.ints(best + 4 * count, count)
    const worst = workspace.floats(heap, 1)
    let [size, ordered, looked] = [0, 0, 0]
    for (; looked < count; looked++) {
      const i = looked
      if (i === ordered) {
        ordered = Math.min(count, Math.max(ORDERED, 4 * ordered))
        kernels.topk(best, best + 4 * count, this.scores, this.leaves, ordered)
      }
      const leaf = nearest[i]
      if (size === wanted && this.most(leaf, base + nearness[i], length) < worst[0]) break
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
        offset + base + nearness[i] + this.raise[leaf],
        heights === 0 ? 0 : Math.min(STEPS, Math.round(spans[leaf] / scale)),
      )
    }
    kernels.topkSort(heap, heap + 4 * wanted, size)
    const codes = workspace.floats(heap, size).slice()
    return { rows: Uint32Array.from(workspace.ints(heap + 4 * wanted, size)), codes, length, leaves: looked }
  }

  /** More than which no item of a leaf is likely to score. */
  private most(leaf: number, nearness: number, length: number): number {
    const reach = (this.reaches[leaf] * UTMOST) / LIKELY
    if (this.heights === 0) return nearness - this.reaches[leaf] + reach
    // |q - x|² = |q - c|² - 2 (q - c) · rest + |rest|²
    const distance = Math.sqrt(Math.max(0, length ** 2 - 2 * nearness))
    return nearness + distance * reach - this.filled.spreads[leaf] ** 2 / 2
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
      let [low, high] = [Infinity, -Infinity]
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
