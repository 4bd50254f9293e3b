import { EPSILON } from '../engine/similarity.ts'
import type { Similarity } from '../graph/index.ts'

// Items as bytes, each with a scale and a bound of what that rounding took.

/** A few roundings to float32, of the value's own size. */
export const ROUNDING: number = 2 ** -20
/** And of what is too small for that size. */
const SMALLEST = 2 ** -140
export const LARGEST_BYTE = 127

/** What a scan keeps of the items: `items` i8[rows · padded width], the others one a row; `halves` is empty but for distances. */
export interface ScanArrays {
  readonly items: Int8Array
  readonly scales: Float32Array
  readonly slacks: Float32Array
  readonly halves: Float32Array
  /** float64[width]: what was taken from each item. */
  readonly mean: Float64Array
  /** The longest item, as it came and less the mean. */
  readonly lengths: Float64Array
}

/** What an item is multiplied by before all else: cosines are products of unit vectors. */
const unitOf = (metric: Similarity['metric'], squares: number): number =>
  metric === 'cosine' ? 1 / Math.sqrt(Math.max(squares, EPSILON)) : 1

/** The items' mean, and the length of the longest: NaN where one is not finite. */
export function centerOf(
  vectors: Float32Array,
  width: number,
  metric: Similarity['metric'],
): { mean: Float64Array; longest: number } {
  const sums = new Float64Array(width)
  let longest = 0
  for (let at = 0; at < vectors.length; at += width) {
    const squares = squaresOf(vectors, at, width)
    const unit = unitOf(metric, squares)
    longest = Math.max(longest, Math.sqrt(squares) * unit)
    for (let i = 0; i < width; i++) sums[i] += vectors[at + i] * unit
  }
  const rows = vectors.length / width
  return { mean: sums.map((sum) => sum / rows), longest }
}

/**
 * Rounds the items, less their mean, into `into`; returns the length of the longest of what was rounded.
 * @param stride bytes of an item: the width padded
 * @param most the largest number that a query is rounded to
 */
export function roundItems(
  { items, scales, slacks, halves }: Pick<ScanArrays, 'items' | 'scales' | 'slacks' | 'halves'>,
  vectors: Float32Array,
  mean: Float64Array,
  metric: Similarity['metric'],
  stride: number,
  most: number,
): number {
  const width = mean.length
  const rest = new Float64Array(width)
  // What rounding a unit query to `most` steps takes from it.
  const asked = Math.sqrt(width) / (2 * most)
  let farthest = 0
  for (let row = 0, at = 0; row < scales.length; row++, at += width) {
    const unit = unitOf(metric, metric === 'cosine' ? squaresOf(vectors, at, width) : 1)
    let [largest, squares] = [0, 0]
    for (let i = 0; i < width; i++) {
      const value = vectors[at + i] * unit - mean[i]
      rest[i] = value
      largest = Math.max(largest, Math.abs(value))
      squares += value * value
    }
    const scale = Math.fround(largest / LARGEST_BYTE)
    let errors = 0
    for (let i = 0, to = row * stride; i < width; i++, to++) {
      const byte = scale === 0 ? 0 : Math.max(-LARGEST_BYTE, Math.min(LARGEST_BYTE, Math.round(rest[i] / scale)))
      items[to] = byte
      errors += (rest[i] - scale * byte) ** 2
    }
    const [length, error] = [Math.sqrt(squares), Math.sqrt(errors)]
    farthest = Math.max(farthest, length)
    scales[row] = scale
    slacks[row] = (error + (asked + ROUNDING) * (length + error)) * (1 + ROUNDING) + SMALLEST
    if (halves.length > 0) halves[row] = squares / 2
  }
  return farthest
}

export function squaresOf(values: Float32Array | Float64Array, from: number, width: number): number {
  let squares = 0
  for (let i = from; i < from + width; i++) squares += values[i] * values[i]
  return squares
}
