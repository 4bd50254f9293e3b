import type { Tensor } from '../../tensor/index.ts'
import { messageAt } from '../protobuf.ts'
import { DISTANCES } from './distances.ts'
import { Hashes } from './hashes.ts'
import { Leaves } from './leaves.ts'
import { type Neighbors, nearestOf } from './neighbors.ts'
import { ByteVectors, FloatVectors, type Vectors } from './vectors.ts'

/** Fields of ScannConfig and of the message in it (scann/proto). */
const CONFIG = { partitioning: 8, hash: 13 } as const
const ASYMMETRIC = 5

/**
 * An index that is searched as ScaNN does it: into the leaves that are nearest, over the hashes of what is in them, and the vectors
 * of those that the hashes found are compared; each where the index has it.
 */
export class SearchIndex {
  private readonly leaves: Leaves
  private readonly hashes: Hashes | null
  private readonly vectors: Vectors | null
  /** How many numbers a query has. */
  readonly width: number

  private constructor(leaves: Leaves, hashes: Hashes | null, vectors: Vectors | null, width: number) {
    this.leaves = leaves
    this.hashes = hashes
    this.vectors = vectors
    this.width = width
  }

  /**
   * Null where a part is there that only ScaNN reads, or none to compare by.
   * @param config the serialized ScannConfig
   * @param inputs those of TensorsToScann
   */
  static of(config: Uint8Array, inputs: readonly Tensor[]): SearchIndex | null {
    const [, , partitioner, tokens, codebook, codes] = inputs
    const vectors = vectorsOf(inputs)
    const blocks =
      codebook?.dtype === 'string' && codebook.data.length === 1 ? Hashes.blocksOf(codebook.data.at(0)) : []
    const isHashed = codes?.dtype === 'uint8' && codes.shape.length === 2
    const count = vectors?.count ?? (isHashed ? codes.shape[0] : 0)
    const width = vectors?.width ?? blocks.reduce((sum, block) => sum + block.width, 0)
    const partitioning = messageAt(config, CONFIG.partitioning)
    let leaves: Leaves | null = null
    if (partitioning === null) leaves = Leaves.whole(count)
    else if (partitioner?.dtype === 'string' && partitioner.data.length === 1 && tokens?.dtype === 'int32')
      leaves = Leaves.of(partitioning, partitioner.data.at(0), tokens.data, width)
    if (leaves === null || leaves.points.length !== count || (vectors === null && !isHashed)) return null
    const hash = messageAt(config, CONFIG.hash)
    if (hash === null) return vectors === null ? null : new SearchIndex(leaves, null, vectors, width)
    const asymmetric = messageAt(hash, ASYMMETRIC)
    if (!isHashed || asymmetric === null) return null
    const hashes = Hashes.of(asymmetric, blocks, codes.data, leaves)
    return hashes === null || hashes.width !== width ? null : new SearchIndex(leaves, hashes, vectors, width)
  }

  /** Whether the vectors of what hashes find are compared. */
  get reorders(): boolean {
    return this.vectors !== null
  }

  /**
   * The `k` nearest to `query` by a distance of `DISTANCES`; where hashes are reordered, of the `before` nearest that they tell.
   * @param leaves how many leaves are searched; not above 0, as many as the index says
   */
  search(query: Float32Array, k: number, before: number, leaves: number, distance: string): Neighbors {
    const { hashes, vectors } = this
    const searched = this.leaves.nearest(query, leaves, DISTANCES[distance])
    const all = this.leaves.pointsOf(searched)
    const rough = hashes && nearestOf(all, hashes.distances(query, searched, distance), vectors === null ? k : before)
    if (vectors === null) return rough ?? { points: [], distances: [] }
    const points = rough === null ? all : Int32Array.from(rough.points)
    return nearestOf(points, vectors.distances(query, points, distance), k)
  }
}

function vectorsOf([floats, , , , , , bytes, factors, norms]: readonly Tensor[]): Vectors | null {
  if (floats.dtype === 'float32' && floats.shape.length === 2) return new FloatVectors(floats.data, floats.shape)
  if (bytes?.dtype !== 'int8' || bytes.shape.length !== 2 || factors?.dtype !== 'float32') return null
  const squares = norms?.dtype === 'float32' && norms.shape.length === 1 ? norms.data : new Float32Array(0)
  return factors.data.length === bytes.shape[1] ? new ByteVectors(bytes.data, bytes.shape, factors.data, squares) : null
}
