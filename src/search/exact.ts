import { finish } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'
import type { Attributes } from './attributes.ts'
import type { Filter, SearchOptions } from './datapoint.ts'
import { select } from './filter.ts'
import { IdRows } from './idrows.ts'
import { keySign, type Ranked, Ranker, type RowQuery } from './ranker.ts'
import type { ScanArrays } from './rounding.ts'
import type { RowSet } from './rowset.ts'

/** Items by their similarity to a query, the best first. */
export interface Neighbors {
  readonly ids: readonly string[]
  /** Scores as `Model.score` gives them, one an id. */
  readonly scores: Float32Array
}

export interface ExactIndexOptions {
  /** What `compileKernels` gives, to scan many items by kernels; the answer is the same without. */
  readonly kernels?: WebAssembly.Module
  /** What filters and crowding look at, item by item; without them nothing is allowed anywhere and nothing crowds. */
  readonly attributes?: Attributes
  /** What the scan by kernels kept of these vectors before, so that it need not be made again; `later`: made for the first search. */
  readonly scan?: ScanArrays | 'later'
}

/**
 * Exact search: every item that the filter lets through is scored. Under `euclidean` the smallest distance is the best,
 * else the largest score. Items are ranked before rounding to float32 and before a logistic, so that nearness counts where
 * scores have no more digits; equals come in the items' own order, NaN comes last.
 */
export class ExactIndex {
  readonly ids: readonly string[]
  readonly width: number
  readonly attributes: Attributes | null
  readonly similarity: Similarity
  /** Where the search is done, row by row. */
  readonly ranker: Ranker
  private idRows: IdRows | null = null

  /**
   * @param vectors `float32[ids.length, width]`, row-major; kept as they are
   * @throws {RangeError} where the vectors' width is not a whole number, or the attributes are of another number of items
   */
  constructor(
    ids: readonly string[],
    vectors: Float32Array,
    similarity: Similarity,
    options: ExactIndexOptions | WebAssembly.Module = {},
  ) {
    const {
      kernels,
      attributes = null,
      scan,
    } = options instanceof WebAssembly.Module ? ({ kernels: options } as ExactIndexOptions) : options
    const width = ids.length === 0 ? 0 : vectors.length / ids.length
    if (!Number.isInteger(width) || width * ids.length !== vectors.length)
      throw new RangeError(`${vectors.length} numbers are not vectors of ${ids.length} items`)
    if (attributes !== null && attributes.rows !== ids.length)
      throw new RangeError(`there are attributes of ${attributes.rows} items and ids of ${ids.length}`)
    this.ids = ids
    this.width = width
    this.attributes = attributes
    this.similarity = similarity
    this.ranker = new Ranker(vectors, ids.length, similarity, kernels ?? null, attributes?.crowds ?? null, scan ?? null)
  }

  /**
   * The `k` best items for `query` (`float32[width]`), of those that the filter lets through; all of them where there are
   * fewer.
   * @throws {TypeError | RangeError} where the query has another width, k or a limit is not a positive integer, or a
   * condition of the filter is none
   */
  search(query: Float32Array, wanted: number | SearchOptions): Neighbors {
    return this.searchMany([query], wanted)[0]
  }

  /**
   * The same for several queries, each with its own options or all with one: items are read once for all of them, which
   * over 1 M items of 64 numbers takes a query three fifths of the time.
   */
  searchMany(queries: readonly Float32Array[], wanted: number | SearchOptions | readonly SearchOptions[]): Neighbors[] {
    return this.ranker.rank(this.asked(queries, wanted)).map((ranked) => this.neighbors(ranked))
  }

  /** The rows that a filter lets through; null where it lets through all without a look at them. */
  select(filter: Filter): RowSet | null {
    return select(filter, {
      rows: this.ids.length,
      attributes: this.attributes,
      rowsOf: (id) => this.rowsOf(id),
    })
  }

  /** The rows of an id: none where it is not there, several where it stands there several times. */
  rowsOf(id: string): readonly number[] {
    this.idRows ??= new IdRows(this.ids)
    return this.idRows.of(id)
  }

  /** What is asked of the rows, looked through. */
  asked(
    queries: readonly Float32Array[],
    wanted: number | SearchOptions | readonly SearchOptions[],
  ): readonly RowQuery[] {
    const each = (i: number): SearchOptions =>
      typeof wanted === 'number' ? { k: wanted } : isList(wanted) ? wanted[i] : wanted
    if (typeof wanted !== 'number' && isList(wanted) && wanted.length !== queries.length)
      throw new RangeError(`there are ${queries.length} queries and options for ${wanted.length}`)
    const selected = new Map<Filter, RowSet | null>()
    return queries.map((query, i) => {
      const { k, filter, perCrowdingTag } = each(i)
      checkCount('k', k)
      if (perCrowdingTag !== undefined) checkCount('perCrowdingTag', perCrowdingTag)
      if (this.ids.length > 0) checkQuery(query, this.width)
      if (filter !== undefined && !selected.has(filter)) selected.set(filter, this.select(filter))
      const within = filter === undefined ? null : (selected.get(filter) ?? null)
      return { query, k, within, perCrowd: perCrowdingTag ?? null }
    })
  }

  /** Rows with their keys as ids with their scores. */
  neighbors(ranked: Ranked): Neighbors {
    const sign = keySign(this.similarity)
    return {
      ids: ranked.map(([, row]) => this.ids[row]),
      scores: Float32Array.from(ranked, ([key]) => finish(sign * key, this.similarity)),
    }
  }
}

const isList = (wanted: SearchOptions | readonly SearchOptions[]): wanted is readonly SearchOptions[] =>
  Array.isArray(wanted)

/**
 * @throws {TypeError} for what is no list of numbers: a tower embeds a tensor
 * @throws {RangeError} for one of another width
 */
export function checkQuery(query: Float32Array, width: number): void {
  const { length } = query
  if (typeof length !== 'number')
    throw new TypeError(`a query is a Float32Array of ${width} numbers: of a tensor of one row give the data`)
  if (length !== width) throw new RangeError(`the query has ${length} dimensions, the items have ${width}`)
}

function checkCount(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`${name} must be a positive integer, got ${count}`)
}
