import { messageAt, messagesAt, numberAt } from '../protobuf.ts'
import { ROUNDED_DISTANCES } from './distances.ts'
import type { Leaf, Leaves } from './leaves.ts'

/** Fields of ScannConfig.hash.asymmetric_hash (scann/proto/hash.proto). */
const HASH = { lookup: 20, residual: 22 } as const
/** CentersForAllSubspaces.subspace_centers, their centers and their numbers. */
const SUBSPACE = { list: 1, center: 1, floats: 4 } as const
/** The lookup types whose sums are those of bytes, which ScaNN's builder asks for, and the codes that a block has. */
const CODES: Readonly<Record<number, number>> = { 1: 256, 3: 16 }
/** The largest entry of a lookup table. */
const LARGEST = 127

/** The numbers that the codes of a block of dimensions stand for: `float32[codes, width]`. */
export interface Block {
  readonly centers: Float32Array
  readonly width: number
}

/** Points by a code for each block of their dimensions, as ScaNN stores and compares them. */
export class Hashes {
  private readonly leaves: Leaves
  private readonly blocks: readonly Block[]
  /** How many codes a block has. */
  private readonly span: number
  /** `uint8[points, blocks]`, leaf by leaf. */
  private readonly codes: Uint8Array
  /** Whether codes are of what is left of a point without its leaf's center. */
  private readonly residual: boolean

  private constructor(leaves: Leaves, blocks: readonly Block[], span: number, codes: Uint8Array, residual: boolean) {
    this.leaves = leaves
    this.blocks = blocks
    this.span = span
    this.residual = residual
    this.codes = new Uint8Array(codes.length)
    const width = blocks.length
    leaves.points.forEach((point, at) => {
      this.codes.set(codes.subarray(point * width, (point + 1) * width), at * width)
    })
  }

  /** The blocks of a serialized codebook. */
  static blocksOf(codebook: Uint8Array): Block[] {
    return messagesAt(codebook, SUBSPACE.list).map(blockOf)
  }

  /**
   * Null where the codes are compared otherwise, or are not of these points.
   * @param asymmetric ScannConfig.hash.asymmetric_hash
   */
  static of(asymmetric: Uint8Array, blocks: readonly Block[], codes: Uint8Array, leaves: Leaves): Hashes | null {
    const span = CODES[numberAt(asymmetric, HASH.lookup, 0)]
    if (span === undefined) return null
    const isWhole =
      blocks.length > 0 &&
      blocks.every(({ centers, width }) => width > 0 && centers.length <= span * width) &&
      blocks.length * leaves.points.length === codes.length &&
      codes.every((code) => code < span)
    return isWhole ? new Hashes(leaves, blocks, span, codes, numberAt(asymmetric, HASH.residual, 0) !== 0) : null
  }

  /** How many numbers a vector has. */
  get width(): number {
    return this.blocks.reduce((sum, { width }) => sum + width, 0)
  }

  /**
   * How far the points of `searched` are from `query`, in the order of `pointsOf`, by the distance `name`. One is summed over lookup tables of
   * whole numbers up to 127, cut off as ScaNN cuts them off, and so comes out as ScaNN's, rough as it is.
   */
  distances(query: Float32Array, searched: readonly Leaf[], name: string): Float32Array {
    const { starts } = this.leaves
    const { table, back } = this.table(query, name)
    const distances = new Float32Array(searched.reduce((sum, { leaf }) => sum + starts[leaf + 1] - starts[leaf], 0))
    let filled = 0
    for (const { leaf, distance } of searched) {
      const offset = this.residual ? Math.fround(distance) : 0
      for (let at = starts[leaf]; at < starts[leaf + 1]; at++)
        distances[filled++] = Math.fround(this.sum(table, at) * back) + offset
    }
    return distances
  }

  /** How far each code of each block is from `query`, in whole numbers that times `back` are distances. */
  private table(query: Float32Array, name: string): { table: Int32Array; back: number } {
    const measure = ROUNDED_DISTANCES[name]
    const apart = new Float32Array(this.blocks.length * this.span)
    let [at, largest] = [0, 0]
    this.blocks.forEach(({ centers, width }, b) => {
      for (let code = 0; code * width < centers.length; code++) {
        const distance = measure(query, at, centers, code * width, width)
        apart[b * this.span + code] = distance
        largest = Math.max(largest, Math.abs(distance))
      }
      at += width
    })
    const factor = largest > 0 ? Math.fround(LARGEST / largest) : 1
    return { table: Int32Array.from(apart, (value) => Math.fround(value * factor)), back: Math.fround(1 / factor) }
  }

  private sum(table: Int32Array, at: number): number {
    const { codes, span } = this
    const blocks = this.blocks.length
    let sum = 0
    for (let entry = 0, c = at * blocks; entry < table.length; entry += span, c++) sum += table[entry + codes[c]]
    return sum
  }
}

function blockOf(message: Uint8Array): Block {
  const centers = messagesAt(message, SUBSPACE.center).map((center) => floatsOf(messageAt(center, SUBSPACE.floats)))
  return { centers: Float32Array.from(centers.flatMap((center) => [...center])), width: centers[0]?.length ?? 0 }
}

const floatsOf = (bytes: Uint8Array | null): Float32Array =>
  bytes === null ? new Float32Array(0) : new Float32Array(bytes.slice().buffer, 0, bytes.length >> 2)
