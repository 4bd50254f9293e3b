import type { Metric, Similarity } from '../../graph/index.ts'
import type { RowSet } from '../rowset.ts'
import { Assigner } from './centroids.ts'
import { BOOK, pairsOf } from './codebooks.ts'
import { type Filled, fill } from './fill.ts'
import { LeafScan, type Named } from './leafscan.ts'
import {
  type ApproximateOptions,
  checkApproximateOptions,
  checkPartitionOptions,
  fractionOf,
  measuredFor,
  type PartitionOptions,
} from './options.ts'
import { Rows, squaresOf } from './rows.ts'
import { type Trained, train } from './train.ts'

/** Arrays that a store keeps under their names without knowing what they mean. */
export type PartitionArrays = Readonly<Record<string, Uint8Array | Uint16Array | Uint32Array | Float32Array>>

/** What is asked of partitions. */
export interface CandidateOptions extends ApproximateOptions {
  readonly k: number
  /** The rows that may be found; by default all. */
  readonly allowed?: RowSet | null
}

export interface PartitionStats {
  readonly items: number
  readonly leaves: number
  /** Items of the largest leaf, and of the one in the middle. */
  readonly largest: number
  readonly median: number
  /** Items that are always measured: they are not finite. */
  readonly odd: number
  /** Bytes of all arrays. */
  readonly bytes: number
}

const METRICS: readonly Metric[] = ['dot', 'cosine', 'euclidean']
/** Lengths of a query past which products with it leave float32. */
const MOST_LENGTH = 2 ** 60
/** Of fewer allowed rows than this share, all are measured: a scan of that list takes no longer. */
const FEW = 1 / 64

/**
 * Items in partitions by learned centroids, each coded by four bits for two of its numbers: which items a query is worth
 * measuring with. docs/approximate.md says how it works and what was measured.
 *
 * `arrays()` are `shape` u32[3] (items, width, metric of dot, cosine, euclidean), `options` float32[2] (fraction of leaves,
 * weight of errors), and by their names those of `Trained` and `Filled`.
 */
export class Partitions {
  /** How many items. */
  readonly rows: number
  readonly fraction: number
  private readonly trained: Trained
  private readonly filled: Filled
  private readonly module: WebAssembly.Module
  private scan: LeafScan | null | undefined

  private constructor(rows: number, fraction: number, trained: Trained, filled: Filled, module: WebAssembly.Module) {
    this.rows = rows
    this.fraction = fraction
    this.trained = trained
    this.filled = filled
    this.module = module
  }

  /** Why there can be no partitions for a similarity; null where there can. */
  static refusal({ metric, scale }: Similarity): string | null {
    return scale < 0 && metric !== 'euclidean'
      ? `a scale of ${scale} asks for what is least alike, and partitions find what is most alike: search exactly`
      : null
  }

  /**
   * Learns partitions of `vectors` (`float32[rows, width]`) and puts all into them.
   * @throws {RangeError} where an option is out of its range, the vectors are not rows of the width, or the similarity's
   * scale is negative
   */
  static build(
    vectors: Float32Array,
    width: number,
    similarity: Similarity,
    options: PartitionOptions,
    kernels: WebAssembly.Module,
  ): Partitions {
    checkPartitionOptions(options)
    const why = Partitions.refusal(similarity)
    if (why !== null) throw new RangeError(why)
    if (!Number.isInteger(width) || width < 1 || vectors.length % width !== 0)
      throw new RangeError(`${vectors.length} numbers are not vectors of ${width}`)
    const trained = train(vectors, width, similarity.metric, options, kernels)
    const filled = fill(vectors, trained, kernels)
    return new Partitions(
      vectors.length / width,
      options.fractionLeafNodesToSearch ?? fractionOf(filled.sizes.length),
      trained,
      filled,
      kernels,
    )
  }

  /** What `arrays()` gave. @throws {RangeError} where an array is missing or another than it should be */
  static from(arrays: PartitionArrays, kernels: WebAssembly.Module): Partitions {
    const of = <T extends PartitionArrays[string]>(
      name: string,
      kind: { new (length: number): T; readonly name: string },
      length?: number,
    ): T => {
      const array = arrays[name]
      if (!(array instanceof kind) || (length !== undefined && array.length !== length))
        throw new RangeError(
          `the partitions must have ${name}, ${kind.name}${length === undefined ? '' : ` of ${length}`}; got ${array === undefined ? 'none' : `${array.constructor.name} of ${array.length}`}`,
        )
      return array
    }
    const [rows, width, metric] = of('shape', Uint32Array, 3)
    if (metric >= METRICS.length) throw new RangeError(`the partitions are by metric ${metric}, which is not known`)
    const [fraction, weight] = of('options', Float32Array, 2)
    const [pairs, sizes] = [pairsOf(width), of('sizes', Uint32Array)]
    const [leaves, far] = [sizes.length, METRICS[metric] === 'euclidean']
    const starts = of('starts', Uint32Array, leaves + 1)
    for (let leaf = 0; leaf < leaves; leaf++)
      if (starts[leaf] % 32 !== 0 || starts[leaf] + sizes[leaf] > starts[leaf + 1])
        throw new RangeError(`the partitions have no room for the ${sizes[leaf]} items of leaf ${leaf}`)
    const slots = starts[leaves]
    const trained: Trained = {
      ...{ width, metric: METRICS[metric], weight },
      mean: of('mean', Float32Array, width),
      centroids: of('centroids', Float32Array, leaves * width),
      axes: of('axes', Float32Array, width * 2 * pairs),
      codebooks: of('codebooks', Float32Array, pairs * BOOK),
    }
    const filled: Filled = {
      ...{ starts, sizes },
      rows: of('rows', Uint32Array, slots),
      codes: of('codes', Uint8Array, (slots * pairs) / 2),
      spreads: of('spreads', Float32Array, leaves),
      odd: of('odd', Uint32Array),
      floors: of('floors', Float32Array, far ? leaves : 0),
      spans: of('spans', Float32Array, far ? leaves : 0),
      heights: of('heights', Uint16Array, far ? slots : 0),
    }
    for (const list of [filled.rows, filled.odd])
      for (const row of list) if (row >= rows) throw new RangeError(`the partitions hold item ${row} of ${rows}`)
    return new Partitions(rows, fraction, trained, filled, kernels)
  }

  arrays(): PartitionArrays {
    const { width, metric, weight, mean, centroids, axes, codebooks } = this.trained
    return {
      shape: Uint32Array.of(this.rows, width, METRICS.indexOf(metric)),
      options: Float32Array.of(this.fraction, weight),
      ...{ mean, centroids, axes, codebooks },
      ...this.filled,
    }
  }

  /** The same partitions, with other vectors in them: those of before with some more, or less. Nothing is learned anew. */
  refilled(vectors: Float32Array): Partitions {
    const { trained, module, fraction } = this
    return new Partitions(vectors.length / trained.width, fraction, trained, fill(vectors, trained, module), module)
  }

  /** The partition of each of `vectors`, whose centroid is the nearest. */
  nearest(vectors: Float32Array): Uint32Array {
    const { width, metric, mean, centroids } = this.trained
    const own = new Uint32Array(vectors.length / width)
    const rows = new Rows(vectors, width, metric, mean)
    new Assigner(this.module, centroids, width).assign(rows.take(own.map((_, row) => row)), own)
    return own
  }

  /**
   * The rows worth measuring with `query` (`float32[width]`), what looks best first; null where partitions spare nothing, or
   * know nothing, and all that may be found are to be measured: of few allowed rows, of a k near their number, of a query that
   * is zero or not finite.
   *
   * Where only some rows are allowed, as many more partitions are looked into as there are fewer of them, so that about as
   * many are seen as without.
   * @throws {RangeError} where an option is out of its range
   */
  candidates(query: Float32Array, options: CandidateOptions): Uint32Array | null {
    return this.named(query, options)?.rows ?? null
  }

  /** The same, with what their codes say of them; of those that are not finite, which come first, Infinity. */
  named(query: Float32Array, options: CandidateOptions): Named | null {
    checkApproximateOptions(options)
    const { k, allowed = null } = options
    const { fractionLeafNodesToSearchOverride: fraction = this.fraction } = options
    const wanted = Math.max(k, options.approximateNeighborCount ?? measuredFor(k))
    const { odd, sizes } = this.filled
    const length = Math.sqrt(squaresOf(query, 0, query.length))
    if (!(length < MOST_LENGTH && length > 1 / MOST_LENGTH)) return null
    const may = allowed === null ? this.rows : allowed.size
    if (wanted >= may || (allowed !== null && may < FEW * this.rows)) return null
    const share = Math.ceil(fraction * sizes.length) * (this.rows / may)
    const scan = this.scanned()
    if (scan === null) return null
    const found = scan.search(query, wanted, Math.min(sizes.length, Math.ceil(share)), allowed)
    const more = allowed === null ? odd : odd.filter((row) => allowed.has(row))
    if (found.rows.length + more.length < Math.min(k, may)) return null
    if (more.length === 0) return found
    const rows = new Uint32Array(more.length + found.rows.length)
    const codes = new Float32Array(rows.length).fill(Infinity)
    rows.set(more)
    rows.set(found.rows, more.length)
    codes.set(found.codes, more.length)
    return { ...found, rows, codes }
  }

  stats(): PartitionStats {
    const { sizes, odd } = this.filled
    const sorted = sizes.toSorted()
    const bytes = Object.values(this.arrays()).reduce((sum, { byteLength }) => sum + byteLength, 0)
    return {
      ...{ items: this.rows, leaves: sizes.length, odd: odd.length, bytes },
      largest: sorted.at(-1) ?? 0,
      median: sorted[sorted.length >> 1] ?? 0,
    }
  }

  private scanned(): LeafScan | null {
    if (this.scan === undefined) this.scan = LeafScan.of(this.module, this.trained, this.filled)
    return this.scan
  }
}
