import { RowEmbedder } from '../embed/row.ts'
import type { Model } from '../engine/model.ts'
import type { SearchOptions } from '../search/datapoint.ts'
import type { Neighbors } from '../search/exact.ts'
import type { Query } from './interactions.ts'
import type { Popularity } from './popularity.ts'
import type { Seen } from './seen.ts'

/** What recommends: its lists are measured. */
export interface System {
  readonly name: string
  /** The ids of the `k` best items for each query, the best first and without what is seen; or what is wrong with a query. */
  recommend(queries: readonly Query[], k: number): Promise<(readonly string[] | string)[]>
}

/** Where nearest items are found, exactly or not. */
export interface Searched {
  readonly width: number
  searchMany(
    queries: readonly Float32Array[],
    wanted: readonly SearchOptions[],
  ): readonly Neighbors[] | Promise<readonly Neighbors[]>
}

/** A query tower before an index. */
export class TowerSystem implements System {
  readonly name: string
  private readonly embedder: RowEmbedder
  private readonly index: Searched
  private readonly seen: Seen
  private readonly how: Pick<SearchOptions, 'approximate'>

  /** @param how whether it searches approximately, and how */
  constructor(name: string, model: Model, index: Searched, seen: Seen, how: Pick<SearchOptions, 'approximate'> = {}) {
    this.name = name
    this.embedder = new RowEmbedder(model, 'query')
    this.index = index
    this.seen = seen
    this.how = how
  }

  async recommend(queries: readonly Query[], k: number): Promise<(readonly string[] | string)[]> {
    const { width } = this.index
    const rows = queries.map(({ row }) => this.embedder.row(() => row))
    const embedded = this.embedder
      .embed(rows)
      .map((found) =>
        typeof found !== 'string' && found.length !== width
          ? `the query has ${found.length} dimensions, the items have ${width}`
          : found,
      )
    const good = [...embedded.keys()].filter((i) => typeof embedded[i] !== 'string')
    const found = await this.index.searchMany(
      good.map((i) => embedded[i] as Float32Array),
      good.map((i): SearchOptions => {
        const exclude = this.seen.get(queries[i].by ?? '')
        return { k, ...this.how, ...(exclude !== undefined && { filter: { exclude } }) }
      }),
    )
    const lists: (readonly string[] | string)[] = embedded.map((one) => (typeof one === 'string' ? one : ''))
    for (const [at, i] of good.entries()) lists[i] = found[at].ids
    return lists
  }
}

/** The most popular items for everybody: what a model must beat. */
export class PopularSystem implements System {
  readonly name = 'most popular'
  private readonly ranked: readonly string[]
  private readonly seen: Seen

  constructor(ids: readonly string[], popularity: Popularity, seen: Seen) {
    this.ranked = popularity.order.map((item) => ids[item])
    this.seen = seen
  }

  async recommend(queries: readonly Query[], k: number): Promise<(readonly string[])[]> {
    return queries.map(({ by }) => {
      const seen = this.seen.get(by ?? '')
      const list: string[] = []
      for (const id of this.ranked) {
        if (list.length === k) break
        if (!seen?.has(id)) list.push(id)
      }
      return list
    })
  }
}
