import { Best, type Entry } from '../best.ts'
import type { Ranked, Ranker, RowQuery } from '../ranker.ts'
import type { Named } from './leafscan.ts'
import type { ApproximateOptions } from './options.ts'
import type { Partitions } from './partitions.ts'

/** Measured items from which on their errors are known well enough, and how many deviations of them the next may be off. */
const [SURE, DEVIATIONS] = [20, 3.5]

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
  const named = partitions.named(query, { ...options, k, allowed: within })
  if (named === null) return ranker.rank([asked])[0]
  const crowding = perCrowd !== null && crowds !== null
  const all = crowding || options.approximateNeighborCount !== undefined
  const ranked = measured(named, ranker, query, crowding ? named.rows.length : k, all ? named.rows.length : SURE)
  if (!crowding) return ranked
  const kept = uncrowded(ranked, crowds, perCrowd)
  return kept.length < k ? ranker.rank([asked])[0] : kept.slice(0, k)
}

/**
 * The k best of what is named, of which `least` are measured at least. Those measured so far tell how far codes are from what
 * they stand for; once even DEVIATIONS times that, by the root of the mean square, would not bring the next among the best,
 * the rest is left. Of GloVe's words 155 of 200 are measured, of a shop's items 160, and of those that should be found
 * all are. Deviations from the errors' mean would leave more out, and too much: where many items
 * are nearly equal the best codes are those that err most, all by as much.
 */
function measured(
  { rows, codes, length }: Named,
  ranker: Ranker,
  query: Float32Array,
  k: number,
  least: number,
): Ranked {
  const { metric } = ranker.similarity
  // A key as its code should be.
  const meant = (key: number): number =>
    metric === 'euclidean' ? (length ** 2 - key ** 2) / 2 : metric === 'dot' ? key / length : key
  const best = new Best(k)
  let [seen, squares] = [0, 0]
  for (let i = 0; i < rows.length; i++) {
    if (seen >= least) {
      if (codes[i] + DEVIATIONS * Math.sqrt(squares / seen) < meant(best.least)) break
    }
    const key = ranker.key(query, rows[i])
    best.offer(key, rows[i])
    if (codes[i] === Infinity) continue
    seen++
    squares += (meant(key) - codes[i]) ** 2
  }
  return best.sorted()
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
