/** What one query's answer is worth: the grades of what it found, and of all that it might have found. */
export interface Judged {
  /** The grade of the item at each rank, the best item first; 0 where it is not relevant. */
  readonly gains: readonly number[]
  /** The grades of all relevant items, the largest first; never empty, all above 0. */
  readonly ideal: readonly number[]
}

/**
 * The ranked ids held against the relevant ones. An item that stands in the list twice counts where it stands first.
 * @param relevant grades above 0 by id
 */
export function judged(ids: readonly string[], relevant: ReadonlyMap<string, number>): Judged {
  const left = new Map(relevant)
  const gains = ids.map((id) => {
    const grade = left.get(id) ?? 0
    left.delete(id)
    return grade
  })
  return { gains, ideal: [...relevant.values()].sort((a, b) => b - a) }
}
