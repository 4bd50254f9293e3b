import { messageAt, messagesAt, numberAt } from '../protobuf.ts'
import { smallestOf } from '../rank.ts'
import type { Distance } from './distances.ts'

/** Fields of ScannConfig.partitioning (scann/proto/partitioning.proto). */
const PARTITIONING = { spilling: 21, tokenization: 28 } as const
const MOST_CENTERS = 3
/** The tokenization by which centers are compared as bytes. */
const FIXED_POINT_INT8 = 2
/** SerializedPartitioner.kmeans.kmeans_tree.root, its centers and their numbers. */
const TREE = [2, 1, 1] as const
const CENTER = { list: 1, doubles: 1 } as const

/** A leaf that a search looks into, and how far its center is from the query. */
export interface Leaf {
  readonly leaf: number
  readonly distance: number
}

/** Points by the leaf that they are in. */
export class Leaves {
  /** The points leaf by leaf, and where those of each leaf begin. */
  readonly points: Int32Array
  readonly starts: Int32Array
  /** `float64[leaves, width]`; of one leaf that holds all points none. */
  private readonly centers: Float64Array
  private readonly width: number
  /** How many leaves are searched where a search does not say it. */
  private readonly most: number

  private constructor(tokens: Int32Array, centers: readonly Float64Array[], most: number) {
    const count = Math.max(1, centers.length)
    this.width = centers[0]?.length ?? 0
    this.most = most
    this.centers = new Float64Array(centers.length * this.width)
    centers.forEach((center, leaf) => {
      this.centers.set(center, leaf * this.width)
    })
    this.starts = new Int32Array(count + 1)
    for (const leaf of tokens) this.starts[leaf + 1]++
    for (let leaf = 0; leaf < count; leaf++) this.starts[leaf + 1] += this.starts[leaf]
    this.points = new Int32Array(tokens.length)
    const next = this.starts.slice()
    tokens.forEach((leaf, point) => {
      this.points[next[leaf]++] = point
    })
  }

  /** One leaf of all points. */
  static whole(points: number): Leaves {
    return new Leaves(new Int32Array(points), [], 1)
  }

  /**
   * The leaves of a serialized tree of one level; null where it is none, or not of `width` numbers.
   * @param partitioning ScannConfig.partitioning
   * @param tokens the leaf of each point
   */
  static of(partitioning: Uint8Array, partitioner: Uint8Array, tokens: Int32Array, width: number): Leaves | null {
    let tree: Uint8Array | null = partitioner
    for (const field of TREE) tree = tree && messageAt(tree, field)
    if (tree === null) return null
    const centers = messagesAt(tree, CENTER.list).map((center) => doublesOf(messageAt(center, CENTER.doubles)))
    const isWhole =
      centers.length > 0 &&
      centers.every(({ length }) => length === width) &&
      tokens.every((leaf) => leaf >= 0 && leaf < centers.length)
    if (!isWhole) return null
    const spilling = messageAt(partitioning, PARTITIONING.spilling)
    const isInBytes = numberAt(partitioning, PARTITIONING.tokenization, 0) === FIXED_POINT_INT8
    const most = spilling === null ? 1 : numberAt(spilling, MOST_CENTERS, 1)
    return new Leaves(tokens, isInBytes ? inBytes(centers, width) : centers, most)
  }

  /**
   * The `count` leaves nearest to `query`, by default as many as the index says. Of leaves whose centers are equally near, ScaNN
   * takes one or the other; here it is the first.
   */
  nearest(query: Float32Array, count: number, measure: Distance): Leaf[] {
    const { centers, width } = this
    const leaves = this.starts.length - 1
    const distances = new Float64Array(leaves)
    if (width > 0)
      for (let leaf = 0; leaf < leaves; leaf++) distances[leaf] = measure(query, 0, centers, leaf * width, width)
    return smallestOf(
      leaves,
      Math.min(count > 0 ? count : this.most, leaves),
      (i, j) => distances[i] - distances[j] || i - j,
    ).map((leaf) => ({ leaf, distance: distances[leaf] }))
  }

  /** The points of some leaves, one leaf after the other. */
  pointsOf(leaves: readonly Leaf[]): Int32Array {
    const { points, starts } = this
    const all = new Int32Array(leaves.reduce((sum, { leaf }) => sum + starts[leaf + 1] - starts[leaf], 0))
    let filled = 0
    for (const { leaf } of leaves) {
      all.set(points.subarray(starts[leaf], starts[leaf + 1]), filled)
      filled += starts[leaf + 1] - starts[leaf]
    }
    return all
  }
}

/** What is left of `vectors` where each dimension is in bytes, the largest as 127. */
function inBytes(vectors: readonly Float64Array[], width: number): Float64Array[] {
  const factors = Float64Array.from({ length: width }, (_, i) => {
    const largest = vectors.reduce((most, vector) => Math.max(most, Math.abs(vector[i])), 0)
    return largest === 0 ? 1 : Math.fround(127 / Math.fround(largest))
  })
  return vectors.map((vector) => vector.map((value, i) => Math.round(value * factors[i]) / factors[i]))
}

const doublesOf = (bytes: Uint8Array | null): Float64Array =>
  bytes === null ? new Float64Array(0) : new Float64Array(bytes.slice().buffer, 0, bytes.length >> 3)
