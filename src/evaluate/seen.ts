import { type InteractionMembers, type InteractionRow, interactionOf } from './interactions.ts'

/** What each asker has seen before, by who it is. */
export type Seen = ReadonlyMap<string, ReadonlySet<string>>

/** @throws {Error} that names the row, where one cannot be read or does not say whose it is */
export async function seenOf(rows: AsyncIterable<InteractionRow>, members: InteractionMembers): Promise<Seen> {
  const seen = new Map<string, Set<string>>()
  for await (const { at, json } of rows) {
    try {
      const { by, items } = interactionOf(json(), { ...members, grade: null })
      if (by === null) throw new RangeError(`the row has no "${members.by}": it does not say who has seen the items`)
      const own = seen.get(by) ?? new Set()
      for (const { id } of items) own.add(id)
      seen.set(by, own)
    } catch (error) {
      throw new TypeError(`${at}: ${(error as Error).message}`)
    }
  }
  return seen
}
