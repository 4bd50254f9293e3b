import { finish, measure } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'
import { Scan } from './scan.ts'

/** Items by their similarity to a query, the best first. */
export interface Neighbors {
  readonly ids: readonly string[]
  /** Scores as `Model.score` gives them, one an id. */
  readonly scores: Float32Array
}

/** Numbers from which on a scan by kernels is worth its copy of the items. */
const MANY = 1 << 14

/**
 * Exact search: every item is scored. Under `euclidean` the smallest distance is the best, else the largest score. Items
 * are ranked before rounding to float32 and before a logistic, so that nearness counts where scores have no more digits;
 * equals come in the items' own order, NaN comes last.
 */
export class ExactIndex {
  readonly ids: readonly string[]
  readonly width: number
  private readonly vectors: Float32Array
  private readonly similarity: Similarity
  private readonly scan: Scan | null

  /**
   * @param vectors `float32[ids.length, width]`, row-major; kept as they are
   * @param kernels what `compileKernels` gives, to scan many items by kernels; the answer is the same without
   * @throws {RangeError} where the vectors' width is not a whole number
   */
  constructor(ids: readonly string[], vectors: Float32Array, similarity: Similarity, kernels?: WebAssembly.Module) {
    const width = ids.length === 0 ? 0 : vectors.length / ids.length
    if (!Number.isInteger(width) || width * ids.length !== vectors.length)
      throw new RangeError(`${vectors.length} numbers are not vectors of ${ids.length} items`)
    this.ids = ids
    this.width = width
    this.vectors = vectors
    this.similarity = similarity
    const many = kernels !== undefined && vectors.length >= MANY
    this.scan = many ? Scan.of(kernels, vectors, width, similarity.metric) : null
  }

  /**
   * The `k` best items for `query` (`float32[width]`); all of them where there are fewer.
   * @throws {RangeError} where the query has another width, or k is not a positive integer
   */
  search(query: Float32Array, k: number): Neighbors {
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`k must be a positive integer, got ${k}`)
    if (this.ids.length > 0 && query.length !== this.width) {
      throw new RangeError(`the query has ${query.length} dimensions, the items have ${this.width}`)
    }
    const { metric, scale } = this.similarity
    // The rank key grows with nearness: the nearest has the smallest distance, whatever the sign of its score.
    const sign = metric === 'euclidean' || scale < 0 ? -1 : 1
    const best = new Best(Math.min(k, this.ids.length))
    const offer = (i: number) =>
      best.offer(sign * measure(query, 0, this.vectors, i * this.width, this.width, metric), i)
    const farthest = scale < 0 && metric !== 'euclidean'
    const candidates = this.scan?.candidates(query, k, farthest) ?? null
    if (candidates !== null) for (const i of candidates) offer(i)
    else for (let i = 0; i < this.ids.length; i++) offer(i)
    const order = best.sorted()
    return {
      ids: order.map(([, i]) => this.ids[i]),
      scores: Float32Array.from(order, ([key]) => finish(sign * key, this.similarity)),
    }
  }
}

/** The `size` best of what is offered: a heap with the worst on top. */
class Best {
  private readonly size: number
  private readonly heap: (readonly [key: number, item: number])[] = []

  constructor(size: number) {
    this.size = size
  }

  offer(key: number, item: number): void {
    const { heap } = this
    const entry = [key, item] as const
    if (heap.length < this.size) {
      heap.push(entry)
      this.rise(heap.length - 1)
    } else if (this.size > 0 && before(entry, heap[0])) {
      heap[0] = entry
      this.sink()
    }
  }

  sorted(): (readonly [key: number, item: number])[] {
    return [...this.heap].sort((a, b) => (before(a, b) ? -1 : 1))
  }

  private rise(from: number): void {
    const { heap } = this
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!before(heap[parent], heap[at])) return
      ;[heap[parent], heap[at]] = [heap[at], heap[parent]]
      at = parent
    }
  }

  private sink(): void {
    const { heap } = this
    for (let at = 0; ; ) {
      let worst = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && before(heap[worst], heap[child])) worst = child
      if (worst === at) return
      ;[heap[worst], heap[at]] = [heap[at], heap[worst]]
      at = worst
    }
  }
}

type Entry = readonly [key: number, item: number]

/** Whether `a` ranks before `b`: the larger key, then the earlier item; NaN after everything. */
function before(a: Entry, b: Entry): boolean {
  const [x, y] = [a[0], b[0]]
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) === Number.isNaN(y) ? a[1] < b[1] : Number.isNaN(y)
  return x === y ? a[1] < b[1] : x > y
}
