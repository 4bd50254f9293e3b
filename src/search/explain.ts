import { finish } from '../engine/similarity.ts'
import { before, type Entry } from './best.ts'
import { type Contribution, contributions } from './contributions.ts'
import type { Datapoint, Filter, Restrict, SearchOptions } from './datapoint.ts'
import type { ExactIndex } from './exact.ts'
import { joined } from './filter.ts'
import { compares } from './numbers.ts'
import { keySign } from './ranker.ts'
import type { RowSet } from './rowset.ts'

/** Why an item stands where it does among the answers to a query, or why it does not. */
export interface Explanation {
  readonly id: string
  /** As `search` gives it. */
  readonly score: number
  /** Before scale, bias and logistic: the product, the cosine, or the distance. */
  readonly metric: number
  /** Its place among all items, from 1. */
  readonly rank: number
  /** Its place among those that the filter lets through; null where it is none of them. */
  readonly filteredRank: number | null
  /** Its place in the answer; null where it is not in it. */
  readonly place: number | null
  /** Why it is not in the answer. */
  readonly missing: 'filter' | 'crowding' | 'k' | null
  /** What each dimension gives, the largest first. */
  readonly contributions: readonly Contribution[]
  /** The filter's conditions, each with what the item has to meet it. */
  readonly conditions: readonly Condition[]
  /** Its crowding tag and how many matching items of it rank before it; null where it has none. */
  readonly crowding: { readonly tag: string; readonly before: number; readonly limit: number | null } | null
}

/** A condition in words and what the item has there. */
export interface Condition {
  readonly condition: string
  readonly item: string
  readonly holds: boolean
}

/** Explains where items stand in `index.search(query, options)`. Every item is measured, once. */
export class Explainer {
  private readonly index: ExactIndex
  private readonly query: Float32Array
  private readonly options: SearchOptions
  private readonly within: RowSet | null
  private readonly keys: Float64Array
  /** The rows of the answer, the best first. */
  private readonly answer: readonly number[]

  /** @throws {TypeError | RangeError} as `search` does */
  constructor(index: ExactIndex, query: Float32Array, options: SearchOptions) {
    const { ranker } = index
    const asked = index.asked([query], options)
    this.index = index
    this.query = query
    this.options = options
    this.within = asked[0].within
    this.keys = Float64Array.from({ length: ranker.rows }, (_, row) => ranker.key(query, row))
    this.answer = ranker.rank(asked)[0].map(([, row]) => row)
  }

  /**
   * Of an id that stands there twice the better row.
   * @param most contributions that are told
   * @throws {RangeError} where there is no such item
   */
  explain(id: string, most = 5): Explanation {
    const { index, query, within } = this
    const { attributes, similarity, width, ranker } = index
    const [own] = index
      .rowsOf(id)
      .map((row): Entry => [this.keys[row], row])
      .sort((a, b) => (before(a, b) ? -1 : 1))
    if (own === undefined) throw new RangeError(`the index has no item ${JSON.stringify(id)}`)
    const [key, row] = own
    const metric = keySign(similarity) * key
    const better = this.better(own, attributes?.crowds ?? null)
    const { filter = {}, perCrowdingTag: limit = null } = this.options
    const letIn = within === null || within.has(row)
    const tag = attributes?.crowdingTag(row)
    const place = this.answer.indexOf(row) + 1
    return {
      id,
      score: Math.fround(finish(metric, similarity)),
      metric,
      rank: better.all + 1,
      filteredRank: letIn ? better.matching + 1 : null,
      place: place === 0 ? null : place,
      missing:
        place !== 0
          ? null
          : !letIn
            ? 'filter'
            : tag !== undefined && limit !== null && better.crowding >= limit
              ? 'crowding'
              : 'k',
      contributions: contributions(
        query,
        ranker.vectors.subarray(row * width, (row + 1) * width),
        similarity.metric,
      ).slice(0, most),
      conditions: conditions({ id, ...attributes?.of(row) }, filter),
      crowding: tag === undefined ? null : { tag, before: better.crowding, limit },
    }
  }

  /** How many rank before a row: of all, of those that the filter lets through, and of these in its crowd. */
  private better(own: Entry, crowds: Uint32Array | null) {
    let [all, matching, crowding] = [0, 0, 0]
    for (let row = 0; row < this.keys.length; row++) {
      if (!before([this.keys[row], row], own)) continue
      all++
      if (this.within !== null && !this.within.has(row)) continue
      matching++
      if (crowds !== null && crowds[row] === crowds[own[1]]) crowding++
    }
    return { all, matching, crowding }
  }
}

/** Each condition of a filter in words, with what the item has there. */
function conditions(item: Omit<Datapoint, 'embedding'>, filter: Filter): Condition[] {
  const found: Condition[] = []
  const { include, exclude } = filter
  if (include !== undefined)
    found.push({ condition: 'is one of those to be included', item: item.id, holds: [...include].includes(item.id) })
  if (exclude !== undefined)
    found.push({ condition: 'is none of those to be excluded', item: item.id, holds: ![...exclude].includes(item.id) })
  for (const restrict of joined(filter.restricts ?? [])) {
    const own = item.restricts?.find(({ namespace }) => namespace === restrict.namespace)
    found.push({
      condition: `${JSON.stringify(restrict.namespace)} ${tokens(restrict)}`,
      item: own === undefined ? 'has nothing there' : tokens(own),
      holds: matches(restrict, own ?? { namespace: restrict.namespace }),
    })
  }
  for (const { namespace, type, value, op } of filter.numericRestricts ?? []) {
    const here = (item.numericRestricts ?? []).filter((number) => number.namespace === namespace)
    const own = here.find((number) => number.type === type)
    const to = type === 'float' ? Math.fround(value) : value
    found.push({
      condition: `${JSON.stringify(namespace)} is ${op} ${value}, ${type}`,
      item:
        here.length === 0 ? 'has no number there' : here.map((number) => `${number.value}, ${number.type}`).join('; '),
      holds: own !== undefined && compares(own.value, op, to),
    })
  }
  return found
}

/** Whether a query's restrict and an item's match; both name the same namespace. */
function matches({ allow = [], deny = [] }: Restrict, { allow: allowed = [], deny: denied = [] }: Restrict): boolean {
  const shared = (a: readonly string[], b: readonly string[]) => a.some((token) => b.includes(token))
  return (allow.length === 0 || shared(allow, allowed)) && !shared(deny, allowed) && !shared(allow, denied)
}

const tokens = ({ allow = [], deny = [] }: Restrict): string =>
  [allow.length === 0 ? '' : `allows ${allow.join(' or ')}`, deny.length === 0 ? '' : `denies ${deny.join(' and ')}`]
    .filter((part) => part !== '')
    .join(', ') || 'asks nothing'
