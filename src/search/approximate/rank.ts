import { Best, type Entry } from '../best.ts'
import type { Ranked, Ranker, RowQuery } from '../ranker.ts'
import type { ApproximateOptions } from './options.ts'
import type { Partitions } from './partitions.ts'

/**
 * The best of the rows that partitions name, measured as exact search measures them; exactly the best where they name none,
 * and where so many of those that they name crowd each other that too few are left.
 *
 * @param crowds the crowd of each row, 0 for none
 */
export function rankApproximately(
  partitions: Partitions,
  ranker: Ranker,
  asked: RowQuery,
  crowds: Uint32Array | null,
  options: ApproximateOptions,
): Ranked {
  const { query, k, within, perCrowd } = asked
  const rows = partitions.candidates(query, { ...options, k, allowed: within })
  if (rows === null) return ranker.rank([asked])[0]
  const crowding = perCrowd !== null && crowds !== null
  const best = new Best(crowding ? rows.length : k)
  for (const row of rows) best.offer(ranker.key(query, row), row)
  const ranked = best.sorted()
  if (!crowding) return ranked
  const kept = uncrowded(ranked, crowds, perCrowd)
  return kept.length < k ? ranker.rank([asked])[0] : kept.slice(0, k)
}

/** Those that fewer than `limit` of their own crowd rank before. */
function uncrowded(ranked: Ranked, crowds: Uint32Array, limit: number): Entry[] {
  const sizes = new Map<number, number>()
  return ranked.filter(([, row]) => {
    const size = sizes.get(crowds[row]) ?? 0
    sizes.set(crowds[row], size + 1)
    return crowds[row] === 0 || size < limit
  })
}
