import { Bootstrap, type Estimate } from './bootstrap.ts'
import type { Query } from './interactions.ts'
import { judged } from './judged.ts'
import { MEASURES, type MeasureName } from './measures.ts'
import { type Exposure, exposureOf, Popularity } from './popularity.ts'
import type { Seen } from './seen.ts'
import type { System } from './system.ts'
import { wilson } from './wilson.ts'

/** What a system is worth at one length of its lists. */
export interface AtK extends Exposure {
  readonly k: number
  readonly measures: Readonly<Record<MeasureName, Estimate>>
  /** The share of the first system's list that is in this one's; null for the first itself. */
  readonly agreement: Estimate | null
  /** How much more than the first system's its measures are, query by query; null for the first itself. */
  readonly more: Readonly<Record<MeasureName, Estimate>> | null
}

export interface SystemReport {
  readonly system: string
  readonly at: readonly AtK[]
}

export interface Evaluated {
  readonly systems: readonly SystemReport[]
  /** Queries that were measured. */
  readonly queries: number
  /** Queries that a system could not answer: left out of all. */
  readonly failed: number
  /** Different items that are relevant to the queries, summed. */
  readonly relevant: number
  /** Those of them that are not in the catalogue, or that are excluded as seen. Nothing finds them: they count as misses. */
  readonly unknown: number
  readonly seen: number
  /** The relevant items themselves, as if they had been recommended. */
  readonly held: Exposure
}

export interface EvaluationOptions {
  /** The systems; the first is the one that the others are held against. */
  readonly systems: readonly System[]
  /** The catalogue. An id that stands there twice is one item. */
  readonly ids: readonly string[]
  /** Lengths of lists. */
  readonly ks: readonly number[]
  readonly seen: Seen
  /** How often each item was interacted with before; null where that is to be counted by the queries' relevant items. */
  readonly popularity: Popularity | null
  readonly seed: number
}

const NAMES = Object.keys(MEASURES) as MeasureName[]
/** Values of a query for a system and a k: the measures and the agreement. */
const VALUES = NAMES.length + 1

/** Measures systems query by query; what is kept does not grow with the queries. */
export class Evaluation {
  private readonly options: EvaluationOptions
  private readonly items: ReadonlyMap<string, number>
  private readonly bootstrap: Bootstrap
  /** How many lists each item stands in, for each system and each k. */
  private readonly places: readonly (readonly Float64Array[])[]
  private readonly held: Float64Array
  private readonly told = { queries: 0, failed: 0, relevant: 0, unknown: 0, seen: 0 }

  constructor(options: EvaluationOptions) {
    const { systems, ids, ks, seed } = options
    this.options = options
    this.items = itemsOf(ids)
    this.bootstrap = new Bootstrap(systems.length * ks.length * VALUES, seed)
    this.places = systems.map(() => ks.map(() => new Float64Array(this.items.size)))
    this.held = new Float64Array(this.items.size)
  }

  /** @param bad told of a query that a system cannot answer, and why */
  async add(queries: readonly Query[], bad: (problem: string) => void): Promise<void> {
    const { systems, ks } = this.options
    const most = Math.max(...ks)
    const lists = await Promise.all(systems.map((system) => system.recommend(queries, most)))
    for (const [i, query] of queries.entries()) {
      const own = lists.map((answers) => answers[i])
      const problem = own.find((list) => typeof list === 'string')
      if (problem === undefined) this.judge(query, own as readonly (readonly string[])[])
      else {
        this.told.failed++
        bad(`${query.at}: ${problem}`)
      }
    }
  }

  private judge({ by, relevant }: Query, lists: readonly (readonly string[])[]): void {
    const { ks } = this.options
    const seen = this.options.seen.get(by ?? '')
    this.told.queries++
    this.told.relevant += relevant.size
    for (const id of relevant.keys()) {
      const item = this.items.get(id)
      if (item === undefined) this.told.unknown++
      else this.held[item]++
      if (item !== undefined && seen?.has(id)) this.told.seen++
    }
    const values = lists.flatMap((list, system) => {
      const one = judged(list, relevant)
      return ks.flatMap((k, j) => {
        const places = this.places[system][j]
        for (const id of new Set(list.slice(0, k))) places[this.items.get(id) as number]++
        return [...NAMES.map((name) => MEASURES[name](one, k)), shared(lists[0], list, k)]
      })
    })
    this.bootstrap.add(values)
  }

  /** How many queries were measured. */
  get queries(): number {
    return this.told.queries
  }

  /** @throws {RangeError} where no query was measured */
  report(): Evaluated {
    const { systems, ks } = this.options
    const { queries } = this.told
    if (queries === 0) throw new RangeError('no query was measured')
    const popularity = this.options.popularity ?? new Popularity(this.held)
    const first = (system: number, j: number) => (system * ks.length + j) * VALUES
    const estimates = (at: number, than?: number) =>
      Object.fromEntries(
        NAMES.map((name, m) => [name, this.bootstrap.estimate(at + m, than === undefined ? undefined : than + m)]),
      ) as Record<MeasureName, Estimate>
    return {
      ...this.told,
      held: exposureOf(this.held, popularity),
      systems: systems.map(({ name }, system) => ({
        system: name,
        at: ks.map((k, j): AtK => {
          const at = first(system, j)
          const measures = estimates(at)
          return {
            k,
            measures: { ...measures, hitRate: wilson(measures.hitRate.mean, queries) },
            agreement: system === 0 ? null : this.bootstrap.estimate(at + NAMES.length),
            more: system === 0 ? null : estimates(at, first(0, j)),
            ...exposureOf(this.places[system][j], popularity),
          }
        }),
      })),
    }
  }
}

/** The items of a catalogue, numbered; an id that stands there twice is one item. */
export function itemsOf(ids: readonly string[]): Map<string, number> {
  const items = new Map<string, number>()
  for (const id of ids) if (!items.has(id)) items.set(id, items.size)
  return items
}

/** The share of the first `k` of one list that are among the first `k` of another; 1 where there is none. */
function shared(list: readonly string[], other: readonly string[], k: number): number {
  if (list === other) return 1
  const among = new Set(other.slice(0, k))
  const wanted = list.slice(0, k)
  return wanted.length === 0 ? 1 : wanted.filter((id) => among.has(id)).length / wanted.length
}

/** How often each item was interacted with by those who have seen it. */
export function popularityOf(items: ReadonlyMap<string, number>, seen: Seen): Popularity {
  const counts = new Float64Array(items.size)
  for (const ids of seen.values())
    for (const id of ids) {
      const item = items.get(id)
      if (item !== undefined) counts[item]++
    }
  return new Popularity(counts)
}
