import { fieldsOf, messageAt, numberAt } from '../protobuf.ts'
import { smallestOf } from '../rank.ts'
import type { Distance } from './distances.ts'

/** Fields of ScannConfig and of the messages in it (scann/proto). */
const CONFIG = { partitioning: 8, hash: 13 } as const
const PARTITIONING = { spilling: 21, mostCenters: 3 } as const
const HASH = { asymmetric: 5, lookup: 20, residual: 22 } as const
/** The lookup type whose sums are those of bytes: what ScaNN's builder always asks for. */
const INT8_LUT16 = 3
/** SerializedPartitioner.kmeans.kmeans_tree.root, its centers and their numbers. */
const TREE = [2, 1, 1] as const
const CENTER = { list: 1, doubles: 1 } as const
/** CentersForAllSubspaces.subspace_centers, their centers and their numbers. */
const SUBSPACE = { list: 1, center: 1, floats: 4 } as const
/** The codes of a block: a lookup table has as many entries. */
const CODES = 16
/** The largest entry of a lookup table. */
const LARGEST = 127

/** Points, the nearest first, and how far each is. */
export interface Neighbors {
  readonly points: readonly number[]
  readonly distances: readonly number[]
}

/** Points by the leaf that they are in and by a code for each block of their dimensions, as ScaNN stores and compares them. */
export class Hashes {
  /** `float64[leaves, width]` */
  private readonly centers: Float64Array
  /** The centers of each block's codes, one after the other, and how many numbers each has. */
  private readonly blocks: readonly Block[]
  /** The points leaf by leaf, and where those of each leaf begin. */
  private readonly points: Int32Array
  private readonly starts: Int32Array
  /** `uint8[points, blocks]`, in the order of `points`. */
  private readonly codes: Uint8Array
  /** How many leaves are searched where a search does not say it. */
  private readonly most: number
  /** Whether codes are of what is left of a point without its leaf's center. */
  private readonly residual: boolean
  readonly width: number

  private constructor(
    config: Uint8Array,
    centers: readonly Float64Array[],
    blocks: readonly Block[],
    tokens: Int32Array,
    codes: Uint8Array,
  ) {
    const spilling = messageAt(messageAt(config, CONFIG.partitioning) ?? NONE, PARTITIONING.spilling) ?? NONE
    this.most = numberAt(spilling, PARTITIONING.mostCenters, 1)
    this.residual = numberAt(asymmetricOf(config), HASH.residual, 0) !== 0
    this.width = centers[0].length
    this.centers = new Float64Array(centers.length * this.width)
    centers.forEach((center, leaf) => {
      this.centers.set(center, leaf * this.width)
    })
    this.blocks = blocks
    this.starts = new Int32Array(centers.length + 1)
    for (const leaf of tokens) this.starts[leaf + 1]++
    for (let leaf = 0; leaf < centers.length; leaf++) this.starts[leaf + 1] += this.starts[leaf]
    this.points = new Int32Array(tokens.length)
    this.codes = new Uint8Array(codes.length)
    const next = this.starts.slice()
    tokens.forEach((leaf, point) => {
      const at = next[leaf]++
      this.points[at] = point
      this.codes.set(codes.subarray(point * blocks.length, (point + 1) * blocks.length), at * blocks.length)
    })
  }

  /** Null where the index is not of hashes in the leaves of a tree, or they are compared otherwise. */
  static of(
    config: Uint8Array,
    partitioner: Uint8Array,
    codebook: Uint8Array,
    tokens: Int32Array,
    codes: Uint8Array,
  ): Hashes | null {
    if (numberAt(asymmetricOf(config), HASH.lookup, 0) !== INT8_LUT16) return null
    let tree: Uint8Array | null = partitioner
    for (const field of TREE) tree = tree && messageAt(tree, field)
    if (tree === null) return null
    const centers = messagesAt(tree, CENTER.list).map((center) => doublesOf(messageAt(center, CENTER.doubles) ?? NONE))
    const blocks = messagesAt(codebook, SUBSPACE.list).map(blockOf)
    const width = centers[0]?.length ?? 0
    const covered = blocks.reduce((sum, block) => sum + block.width, 0)
    const isWhole =
      width > 0 &&
      covered === width &&
      centers.every(({ length }) => length === width) &&
      blocks.length * tokens.length === codes.length &&
      tokens.every((leaf) => leaf >= 0 && leaf < centers.length) &&
      blocks.every((block) => block.centers.length <= CODES * block.width) &&
      codes.every((code) => code < CODES)
    return isWhole ? new Hashes(config, centers, blocks, tokens, codes) : null
  }

  /**
   * The `k` nearest to `query` of the points in its nearest leaves. The distance to a point is summed over lookup tables of
   * whole numbers up to 127, cut off as ScaNN cuts them off, and so comes out as ScaNN's, rough as it is. Of
   * leaves whose centers are equally near, ScaNN takes one or the other; here it is the first.
   */
  search(query: Float32Array, k: number, leaves: number, measure: Distance): Neighbors {
    const { centers, starts, points, width } = this
    const count = starts.length - 1
    const toCenters = new Float64Array(count)
    for (let leaf = 0; leaf < count; leaf++) toCenters[leaf] = measure(query, 0, centers, leaf * width, width)
    const nearest = smallestOf(
      count,
      Math.min(leaves > 0 ? leaves : this.most, count),
      (i, j) => toCenters[i] - toCenters[j] || i - j,
    )
    const found = nearest.reduce((sum, leaf) => sum + starts[leaf + 1] - starts[leaf], 0)
    const [places, distances] = [new Int32Array(found), new Float32Array(found)]
    const { table, back } = this.table(query, measure)
    let filled = 0
    for (const leaf of nearest) {
      const offset = this.residual ? Math.fround(toCenters[leaf]) : 0
      for (let at = starts[leaf]; at < starts[leaf + 1]; at++, filled++) {
        places[filled] = points[at]
        distances[filled] = Math.fround(this.sum(table, at) * back) + offset
      }
    }
    const best = smallestOf(found, Math.min(k, found), (i, j) => distances[i] - distances[j] || places[i] - places[j])
    return { points: best.map((i) => places[i]), distances: best.map((i) => distances[i]) }
  }

  /** What each code of each block is away from `query`, in whole numbers that times `back` are distances. */
  private table(query: Float32Array, measure: Distance): { table: Int32Array; back: number } {
    const apart = new Float32Array(this.blocks.length * CODES)
    let [at, largest] = [0, 0]
    this.blocks.forEach(({ centers, width }, b) => {
      for (let code = 0; code * width < centers.length; code++) {
        const distance = Math.fround(measure(query, at, centers, code * width, width))
        apart[b * CODES + code] = distance
        largest = Math.max(largest, Math.abs(distance))
      }
      at += width
    })
    const factor = largest > 0 ? Math.fround(LARGEST / largest) : 1
    return { table: Int32Array.from(apart, (value) => Math.fround(value * factor)), back: Math.fround(1 / factor) }
  }

  private sum(table: Int32Array, at: number): number {
    const { codes } = this
    const blocks = this.blocks.length
    let sum = 0
    for (let b = 0, c = at * blocks; b < blocks; b++, c++) sum += table[b * CODES + codes[c]]
    return sum
  }
}

const NONE = new Uint8Array(0)

const asymmetricOf = (config: Uint8Array): Uint8Array =>
  messageAt(messageAt(config, CONFIG.hash) ?? NONE, HASH.asymmetric) ?? NONE

const messagesAt = (message: Uint8Array, field: number): Uint8Array[] =>
  [...fieldsOf(message)].flatMap((each) => (each.field === field ? [each.bytes] : []))

const doublesOf = (bytes: Uint8Array): Float64Array => new Float64Array(bytes.slice().buffer, 0, bytes.length >> 3)
const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer, 0, bytes.length >> 2)

/** The numbers of a block of dimensions: `float32[codes, width]`. */
interface Block {
  readonly centers: Float32Array
  readonly width: number
}

function blockOf(message: Uint8Array): Block {
  const centers = messagesAt(message, SUBSPACE.center).map((center) =>
    floatsOf(messageAt(center, SUBSPACE.floats) ?? NONE),
  )
  return { centers: Float32Array.from(centers.flatMap((center) => [...center])), width: centers[0]?.length ?? 0 }
}
