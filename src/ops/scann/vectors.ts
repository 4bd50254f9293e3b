import { DISTANCES, DOT_PRODUCT } from './distances.ts'

/** The points themselves: `[points, width]` in floats, or in bytes, each dimension by a factor of its own. */
export interface Vectors {
  readonly count: number
  readonly width: number
  /** How far `points` are from `query`, by the distance `name`. */
  distances(query: Float32Array, points: Int32Array, name: string): Float32Array
}

export class FloatVectors implements Vectors {
  readonly count: number
  readonly width: number
  private readonly data: Float32Array

  constructor(data: Float32Array, [count, width]: readonly number[]) {
    this.data = data
    this.count = count
    this.width = width
  }

  distances(query: Float32Array, points: Int32Array, name: string): Float32Array {
    const { data, width } = this
    const measure = DISTANCES[name]
    const distances = new Float32Array(points.length)
    for (let i = 0; i < points.length; i++) distances[i] = measure(query, 0, data, points[i] * width, width)
    return distances
  }
}

/** Bytes that are the numbers times `factors`, rounded; `norms` are the squared lengths of the vectors, for squared distances. */
export class ByteVectors implements Vectors {
  readonly count: number
  readonly width: number
  private readonly data: Int8Array
  private readonly back: Float32Array
  private readonly norms: Float32Array

  constructor(data: Int8Array, [count, width]: readonly number[], factors: Float32Array, norms: Float32Array) {
    this.data = data
    this.count = count
    this.width = width
    this.back = factors.map((factor) => 1 / factor)
    this.norms = norms
  }

  distances(query: Float32Array, points: Int32Array, name: string): Float32Array {
    const { data, width, back, norms } = this
    const scaled = query.map((value, i) => value * back[i])
    const squared = name === DOT_PRODUCT ? 0 : query.reduce((sum, value) => sum + value * value, 0)
    const distances = new Float32Array(points.length)
    for (let i = 0; i < points.length; i++) {
      let dot = 0
      for (let j = 0, at = points[i] * width; j < width; j++, at++) dot += scaled[j] * data[at]
      distances[i] = name === DOT_PRODUCT ? -dot : squared + norms[points[i]] - 2 * dot
    }
    return distances
  }
}
