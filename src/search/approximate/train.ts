import { aligned } from '../../engine/linear.ts'
import type { Metric } from '../../graph/index.ts'
import { pairedAxes } from './axes.ts'
import { Assigner, settleCentroids, trainCentroids } from './centroids.ts'
import { type Coding, Encoder, pairsOf, trainCodebooks, weightOf } from './codebooks.ts'
import { ITERATIONS, type PartitionOptions, THRESHOLD } from './options.ts'
import { random, sampled } from './random.ts'
import { meanOf, Rows } from './rows.ts'

/** Rows of a sample for each centroid, and the numbers of a sample at most: 256 MB. */
const [ROWS_A_LEAF, MOST_NUMBERS] = [32, 2 ** 26]
/** Rounds over all rows after those over the sample, where it is not all; and rows at a time. */
const [SETTLING, PIECE] = [1, 4096]
/** Rows, and numbers, that codebooks and axes are made of at most. */
const [CODED_ROWS, CODED_NUMBERS] = [65_536, 2 ** 22]
/** Partitions at most: their centroids meet every query. */
const MOST_LEAVES = 65_536

/** What is learned of some vectors, and holds for others like them. */
export interface Trained extends Coding {
  readonly metric: Metric
  /** `float32[width]`: what distances are measured from; else zeros. */
  readonly mean: Float32Array
  /** `float32[pairs, 2, 16]` */
  readonly codebooks: Float32Array
}

/** Learns centroids, axes and codebooks of a sample of `vectors` (`float32[n, width]`). */
export function train(
  vectors: Float32Array,
  width: number,
  metric: Metric,
  options: PartitionOptions,
  module: WebAssembly.Module,
): Trained {
  const { seed = 1, iterations = ITERATIONS, anisotropicQuantizationThreshold: threshold = THRESHOLD } = options
  const { usual } = new Rows(vectors, width, metric, new Float32Array(width)).sorted()
  const mean = metric === 'euclidean' ? meanOf(vectors, width, usual) : new Float32Array(width)
  const rows = new Rows(vectors, width, metric, mean)
  const leaves = leavesOf(usual.length, options.leafNodeEmbeddingCount)
  const wanted = Math.max(leaves, Math.min(ROWS_A_LEAF * leaves, Math.floor(MOST_NUMBERS / width)))
  const sample = rows.take(sampled(usual, wanted, random(seed)))
  const centroids = trainCentroids(module, sample, width, { leaves, iterations, seed })
  if (sample.length < usual.length * width)
    settleCentroids(module, centroids, width, SETTLING, function* pieces() {
      for (let start = 0; start < usual.length; start += PIECE) yield rows.take(usual.subarray(start, start + PIECE))
    })

  const pairs = pairsOf(width)
  const coded = Math.min(CODED_ROWS, Math.max(1, Math.floor(CODED_NUMBERS / width)), sample.length / width)
  const some = sample.subarray(0, coded * width)
  const own = new Uint32Array(coded)
  new Assigner(module, centroids, width).assign(some, own)
  const rests = some.map((value, i) => value - centroids[own[Math.floor(i / width)] * width + (i % width)])
  const axes = pairedAxes(rests, width, 2 * pairs)
  const weight = metric === 'euclidean' ? 0 : weightOf(threshold, width)
  const coding = { width, centroids, axes, weight }
  const encoder = new Encoder(module, coding)
  const codebooks = trainCodebooks(encoder, encoder.turned(some, own), pairs, weight)
  return { ...coding, metric, mean, codebooks }
}

/** How many partitions: 4 √n of n items unless it is said how large they are. */
function leavesOf(items: number, each = Math.sqrt(items) / 4): number {
  if (items === 0) return 0
  return Math.min(items, MOST_LEAVES, aligned(Math.ceil(items / Math.max(1, each)), 4))
}
