/** The share of all interactions that the head of the catalogue has (Abdollahpouri et al. 2017, cited below). */
const HEAD = 0.8

/** How popular each item of a catalogue is: how many interactions it has. */
export class Popularity {
  /** f64[items] */
  readonly counts: Float64Array
  /** u8[items]: 1 for the items of the long tail. */
  readonly tail: Uint8Array
  /** The items, the most popular first; equals in the catalogue's order. */
  readonly order: readonly number[]

  /**
   * The head are the most popular items, as few as together have 80 % of the interactions; the others are the long tail
   * (Abdollahpouri, Burke & Mobasher, "Controlling popularity bias in learning-to-rank recommendation", RecSys 2017).
   */
  constructor(counts: Float64Array) {
    this.counts = counts
    this.order = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b)
    const all = counts.reduce((sum, count) => sum + count, 0)
    this.tail = new Uint8Array(counts.length).fill(1)
    let sum = 0
    for (const item of this.order) {
      if (sum >= HEAD * all) break
      this.tail[item] = 0
      sum += counts[item]
    }
  }
}

/** What a system's lists say of it as a whole. */
export interface Exposure {
  /** The share of the catalogue that stands in at least one list. */
  readonly coverage: number
  /** How unequally the items share the places of the lists: 0 where all stand in equally many, 1 where one has all. */
  readonly gini: number
  /** How popular what is recommended is: the mean number of interactions of an item in a list. */
  readonly popularity: number
  /** The share of what is recommended that is of the long tail. */
  readonly longTail: number
}

/**
 * What lists of recommendations say together.
 *
 * Coverage is catalogue coverage (Ge, Delgado-Battenfeld & Jannach, "Beyond accuracy", RecSys 2010). The Gini index is that of
 * Shani & Gunawardana ("Evaluating recommendation systems", Recommender Systems Handbook 2011): with p the items' shares of
 * all places in ascending order, the sum of (2j - n - 1) p_j over n - 1. Popularity is the average recommendation popularity
 * of Yin et al. ("Challenging the long tail recommendation", VLDB 2012), the share of the long tail the average percentage of
 * long tail items (APLT) of Abdollahpouri et al. 2017; both over all places of all lists, which is the mean over lists that
 * are equally long.
 * @param places how many lists each item stands in
 */
export function exposureOf(places: Float64Array, { counts, tail }: Popularity): Exposure {
  const n = places.length
  let [all, listed, popularity, longTail] = [0, 0, 0, 0]
  for (let item = 0; item < n; item++) {
    all += places[item]
    if (places[item] > 0) listed++
    popularity += places[item] * counts[item]
    longTail += places[item] * tail[item]
  }
  let gini = 0
  for (const [i, share] of places.toSorted().entries()) gini += (2 * (i + 1) - n - 1) * share
  return {
    coverage: listed / n,
    gini: all === 0 || n === 1 ? 0 : gini / all / (n - 1),
    popularity: all === 0 ? 0 : popularity / all,
    longTail: all === 0 ? 0 : longTail / all,
  }
}
