import type { Judged } from './judged.ts'

/** What a ranking is measured by: of one query, from 0 to 1. The mean over all queries is the measure of a system. */
export type Measure = (judged: Judged, k: number) => number

const found = ({ gains }: Judged, k: number): number =>
  gains.slice(0, k).reduce((count, gain) => count + (gain > 0 ? 1 : 0), 0)

/** The sum of gains, each divided by the binary logarithm of its rank plus one. */
const discounted = (gains: readonly number[], k: number): number =>
  gains.slice(0, k).reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0)

/**
 * The share of the relevant items that are among the first k (`recall_k` of trec_eval). Where more than k are relevant it
 * cannot reach 1.
 */
const recall: Measure = (judged, k) => found(judged, k) / judged.ideal.length

/** The share of the first k that are relevant (`P_k` of trec_eval); a list that is shorter than k is not excused. */
const precision: Measure = (judged, k) => found(judged, k) / k

/** 1 where a relevant item is among the first k (`success_k` of trec_eval). */
const hitRate: Measure = (judged, k) => (found(judged, k) > 0 ? 1 : 0)

/**
 * Normalised discounted cumulative gain: the gain is the grade itself, the discount log2(rank + 1), the norm that of the best
 * order there is (Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 2002, in the form of
 * `ndcg_cut_k` of trec_eval). For a gain of 2^grade - 1 give that as the grade.
 */
const ndcg: Measure = (judged, k) => discounted(judged.gains, k) / discounted(judged.ideal, k)

/** One over the rank of the first relevant item; 0 where it is not among the first k. Its mean is the MRR at k. */
const reciprocalRank: Measure = ({ gains }, k) => {
  const first = gains.slice(0, k).findIndex((gain) => gain > 0)
  return first < 0 ? 0 : 1 / (first + 1)
}

/**
 * The precision at the rank of each relevant item among the first k, summed and divided by how many are relevant
 * (`map_cut_k` of trec_eval). Its mean is the MAP at k.
 */
const averagePrecision: Measure = (judged, k) => {
  let [hits, sum] = [0, 0]
  for (const [i, gain] of judged.gains.slice(0, k).entries()) if (gain > 0) sum += ++hits / (i + 1)
  return sum / judged.ideal.length
}

export type MeasureName = 'recall' | 'ndcg' | 'mrr' | 'hitRate' | 'map' | 'precision'

/** In the order in which they are shown. */
export const MEASURES: Readonly<Record<MeasureName, Measure>> = {
  recall,
  ndcg,
  mrr: reciprocalRank,
  hitRate,
  map: averagePrecision,
  precision,
}
