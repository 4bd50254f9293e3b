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
/** The largest entry of a lookup table. */
const LARGEST = 127

/** Points by the leaf that they are in and by a code for each block of their dimensions, as ScaNN stores and compares them. */
export class Hashes {
  private readonly centers: readonly Float64Array[]
  private readonly blocks: readonly (readonly Float32Array[])[]
  private readonly codes: Uint8Array
  private readonly leaves: readonly number[][]
  /** How many leaves are searched where a search does not say it. */
  private readonly most: number
  /** Whether codes are of what is left of a point without its leaf's center. */
  private readonly residual: boolean
  readonly width: number

  private constructor(
    config: Uint8Array,
    tree: Uint8Array,
    codebook: Uint8Array,
    tokens: Int32Array,
    codes: Uint8Array,
  ) {
    const spilling = messageAt(messageAt(config, CONFIG.partitioning) ?? NONE, PARTITIONING.spilling) ?? NONE
    this.most = numberAt(spilling, PARTITIONING.mostCenters, 1)
    this.residual = numberAt(asymmetricOf(config), HASH.residual, 0) !== 0
    this.centers = messagesAt(tree, CENTER.list).map((center) => doublesOf(messageAt(center, CENTER.doubles) ?? NONE))
    this.blocks = messagesAt(codebook, SUBSPACE.list).map((block) =>
      messagesAt(block, SUBSPACE.center).map((center) => floatsOf(messageAt(center, SUBSPACE.floats) ?? NONE)),
    )
    this.codes = codes
    this.leaves = this.centers.map(() => [])
    tokens.forEach((leaf, point) => {
      this.leaves[leaf]?.push(point)
    })
    this.width = this.centers[0]?.length ?? 0
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
    const hashes = new Hashes(config, tree, codebook, tokens, codes)
    const covered = hashes.blocks.reduce((sum, block) => sum + (block[0]?.length ?? 0), 0)
    const complete = hashes.blocks.length * tokens.length === codes.length
    return hashes.width > 0 && covered === hashes.width && complete ? hashes : null
  }

  /**
   * The `k` nearest to `query` of the points in its nearest leaves. The distance to a point is summed over lookup tables of
   * whole numbers up to 127, cut off as ScaNN cuts them off, and so comes out as ScaNN's, rough as it is. Of
   * leaves whose centers are equally near, ScaNN takes one or the other; here it is the first.
   */
  search(query: Float32Array, k: number, leaves: number, measure: Distance): { points: number[]; distances: number[] } {
    const toCenters = this.centers.map((center) => measure(query, 0, center, 0, this.width))
    const nearest = smallestOf(
      this.centers.length,
      Math.min(leaves > 0 ? leaves : this.most, this.centers.length),
      (i, j) => toCenters[i] - toCenters[j] || i - j,
    )
    let at = 0
    const tables = this.blocks.map((block) => {
      const start = at
      at += block[0].length
      return block.map((center) => Math.fround(measure(query, start, center, 0, center.length)))
    })
    const largest = tables.flat().reduce((top, value) => Math.max(top, Math.abs(value)), 0)
    const factor = largest > 0 ? Math.fround(LARGEST / largest) : 1
    const back = Math.fround(1 / factor)
    const whole = tables.map((table) => table.map((value) => Math.trunc(Math.fround(value * factor))))
    const points: number[] = []
    const distances: number[] = []
    const blocks = whole.length
    for (const leaf of nearest) {
      const offset = this.residual ? Math.fround(toCenters[leaf]) : 0
      for (const point of this.leaves[leaf]) {
        let sum = 0
        for (let b = 0; b < blocks; b++) sum += whole[b][this.codes[point * blocks + b]]
        points.push(point)
        distances.push(Math.fround(Math.fround(sum * back) + offset))
      }
    }
    const best = smallestOf(
      points.length,
      Math.min(k, points.length),
      (i, j) => distances[i] - distances[j] || points[i] - points[j],
    )
    return { points: best.map((i) => points[i]), distances: best.map((i) => distances[i]) }
  }
}

const NONE = new Uint8Array(0)

const asymmetricOf = (config: Uint8Array): Uint8Array =>
  messageAt(messageAt(config, CONFIG.hash) ?? NONE, HASH.asymmetric) ?? NONE

const messagesAt = (message: Uint8Array, field: number): Uint8Array[] =>
  [...fieldsOf(message)].flatMap((each) => (each.field === field ? [each.bytes] : []))

const doublesOf = (bytes: Uint8Array): Float64Array => new Float64Array(bytes.slice().buffer, 0, bytes.length >> 3)
const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer, 0, bytes.length >> 2)
