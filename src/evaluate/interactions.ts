import { type Json, parseJson } from '../json/parse.ts'
import { jsonText } from '../json/text.ts'
import { isMembers, type Members } from '../serve/values.ts'

/** A row of a file of interactions, and where it stands. */
export interface InteractionRow {
  /** For messages: `held.jsonl:3`. */
  readonly at: string
  /** @throws {Error} where it cannot be read */
  json(): Json
}

/** Which members of a row say what; the others are features. */
export interface InteractionMembers {
  /** The item that was interacted with, or a list of them. */
  readonly item: string
  /** The relevance grade of the item, or a list as long as that of items; null where all are worth 1. */
  readonly grade: string | null
  /** Who asked. */
  readonly by: string
}

/** Somebody's items, as one row names them. */
export interface Interaction {
  /** Who asked; null where the row does not say. */
  readonly by: string | null
  readonly items: readonly { readonly id: string; readonly grade: number }[]
  /** The row without its items and grades: what the query tower is asked. */
  readonly query: Members
}

/** @throws {TypeError | RangeError} where the row names no item, or its grades do not fit */
export function interactionOf(json: Json, { item, grade, by }: InteractionMembers): Interaction {
  if (!isMembers(json)) throw new TypeError('a row must be a JSON object of features and items')
  const rest = Object.entries(json).filter(([name]) => name !== item && name !== grade)
  if (json[item] === undefined || json[item] === null)
    throw new RangeError(`the row has no "${item}": name the member that holds the relevant items with --item`)
  const ids = listed(json[item]).map((id) => {
    if (typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint') return String(id)
    throw new TypeError(`"${item}" must be an id or a list of ids, got ${jsonText(json[item])}`)
  })
  const grades = grade === null ? ids.map(() => 1) : gradesOf(json, grade, ids.length)
  const who = json[by]
  return {
    by: who === undefined || who === null ? null : idText(who),
    items: ids.map((id, i) => ({ id, grade: grades[i] })),
    query: Object.fromEntries(rest),
  }
}

const idText = (id: Json): string => (typeof id === 'string' ? id : jsonText(id))

/** A value alone, or a list; of CSV a list is written as JSON. */
function listed(value: Json): readonly Json[] {
  if (typeof value === 'string' && /^\s*\[.*\]\s*$/s.test(value)) {
    try {
      const list = parseJson(value)
      if (Array.isArray(list)) return list
    } catch {
      // An id may look like a list that has not come to its end.
    }
  }
  return Array.isArray(value) ? value : [value]
}

function gradesOf(json: Members, grade: string, count: number): number[] {
  if (json[grade] === undefined) throw new RangeError(`the row has no "${grade}", which --grade names`)
  const grades = listed(json[grade]).map((value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof number === 'number' && Number.isFinite(number)) return number
    throw new TypeError(`"${grade}" must be a number or a list of numbers, got ${jsonText(json[grade])}`)
  })
  if (grades.length !== count) throw new RangeError(`the row has ${count} items and ${grades.length} grades`)
  return grades
}

/** A query with all that is relevant to it. */
export interface Query {
  readonly at: string
  readonly by: string | null
  readonly row: Members
  /** Grades by id; those of 0 or less are left out. */
  readonly relevant: ReadonlyMap<string, number>
}

/** What was noticed while interactions were read; nothing of it is dropped in silence. */
export interface Noticed {
  /** Rows that could be read. */
  rows: number
  /** Rows that could not. */
  bad: number
  /** Items that are named again for the same query; the highest grade holds. */
  repeated: number
  /** Items whose grade is 0 or less: not relevant. */
  ungraded: number
  /** Queries of somebody who has asked another before. */
  again: number
  /** Queries to which nothing is relevant: left out. */
  empty: number
}

/**
 * Rows as queries: rows that follow each other and differ in their items alone are one query with all of these. Whatever else
 * comes again is a query of its own, as somebody is another query with another history.
 * @param bad told of a row that is left out, and why
 */
export async function* queriesOf(
  rows: AsyncIterable<InteractionRow>,
  members: InteractionMembers,
  noticed: Noticed,
  bad: (problem: string) => void,
): AsyncGenerator<Query> {
  const known = new Set<string>()
  let open = null as Open | null
  for await (const { at, json } of rows) {
    let read: Interaction
    try {
      read = interactionOf(json(), members)
    } catch (error) {
      noticed.bad++
      bad(`${at}: ${(error as Error).message}`)
      continue
    }
    noticed.rows++
    const { by, items, query: row } = read
    const text = jsonText(row)
    if (open?.text !== text) {
      if (open !== null) yield* closed(open, noticed)
      const relevant = new Map<string, number>()
      open = { query: { at, by, row, relevant }, relevant, text }
      if (by !== null && known.has(by)) noticed.again++
      if (by !== null) known.add(by)
    }
    for (const { id, grade } of items) {
      const before = open.relevant.get(id)
      if (grade <= 0) noticed.ungraded++
      else if (before === undefined) open.relevant.set(id, grade)
      else {
        noticed.repeated++
        open.relevant.set(id, Math.max(before, grade))
      }
    }
  }
  if (open !== null) yield* closed(open, noticed)
}

/** A query to which more rows may belong. */
interface Open {
  readonly query: Query
  readonly relevant: Map<string, number>
  readonly text: string
}

function* closed({ query, relevant }: Open, noticed: Noticed): Generator<Query> {
  if (relevant.size > 0) yield query
  else noticed.empty++
}
