import { utf8 } from '../../tensor/index.ts'
import { messageAt } from '../protobuf.ts'

/** The distance from a query to a vector, of which each begins at a place of its own. */
export type Distance = (
  query: ArrayLike<number>,
  from: number,
  vectors: ArrayLike<number>,
  at: number,
  width: number,
) => number

/** ScaNN's name for the inner product, which it negates for a distance. */
export const DOT_PRODUCT = 'DotProductDistance'

/** ScannConfig.distance_measure, and the name in it (scann/proto). */
const DISTANCE = { measure: 5, name: 1 } as const

/** The name of the distance that the index of a serialized `config` is for. */
export function distanceOf(config: Uint8Array): string {
  const distance = messageAt(config, DISTANCE.measure)
  const name = distance === null ? null : messageAt(distance, DISTANCE.name)
  return (name === null ? null : utf8(name)) ?? ''
}

/** Distances by ScaNN's names: the nearest has the smallest. */
export const DISTANCES: Readonly<Record<string, Distance>> = {
  [DOT_PRODUCT](query, from, vectors, at, width) {
    let sum = 0
    for (let i = 0; i < width; i++) sum += query[from + i] * vectors[at + i]
    return -sum
  },
  SquaredL2Distance(query, from, vectors, at, width) {
    let sum = 0
    for (let i = 0; i < width; i++) {
      const apart = query[from + i] - vectors[at + i]
      sum += apart * apart
    }
    return sum
  },
}

/**
 * The same with each step rounded to float32, as ScaNN sums what it makes lookup tables of: cut off to whole numbers, they would
 * show where a sum was rounded once.
 */
export const ROUNDED_DISTANCES: Readonly<Record<string, Distance>> = {
  [DOT_PRODUCT](query, from, vectors, at, width) {
    let sum = 0
    for (let i = 0; i < width; i++) sum = Math.fround(sum + Math.fround(query[from + i] * vectors[at + i]))
    return -sum
  },
  SquaredL2Distance(query, from, vectors, at, width) {
    let sum = 0
    for (let i = 0; i < width; i++) {
      const apart = Math.fround(query[from + i] - vectors[at + i])
      sum = Math.fround(sum + Math.fround(apart * apart))
    }
    return sum
  },
}
