import { InvalidArgumentError, UnsupportedOpError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Tensor, type TensorOf, tensor, utf8 } from '../tensor/index.ts'
import { integer } from './integers.ts'
import { messageAt, numberAt } from './protobuf.ts'
import { smallestOf } from './rank.ts'
import { DISTANCES, type Distance, DOT_PRODUCT } from './scann/distances.ts'
import { Hashes, type Neighbors } from './scann/hashes.ts'

// ScaNN's ops (scann/scann_ops/cc/kernels/scann_ops.cc). An index of hashes is searched as ScaNN searches it, and where it keeps
// the vectors too, those that the hashes found are compared by them. An index of vectors alone is compared whole.

/** Fields of ScannConfig and of the messages in it (scann/proto). */
const CONFIG = { neighbors: 3, distance: 5, reordering: 17 } as const
const DISTANCE_NAME = 1
const BEFORE_REORDERING = 1

/** The name of the distance that the index of a serialized `config` is for. */
export function distanceOf(config: Uint8Array): string {
  const distance = messageAt(config, CONFIG.distance)
  const name = distance === null ? null : messageAt(distance, DISTANCE_NAME)
  return (name === null ? null : utf8(name)) ?? ''
}

/** What the handle of a searcher holds. */
class Searcher {
  /** A matrix where the index keeps it, else a scalar. */
  readonly dataset: TensorOf<'float32'>
  readonly hashes: Hashes | null
  /** How many neighbours are found where a search does not say it. */
  readonly neighbors: number
  /** How many of the approximately nearest ScaNN compares exactly: no search finds more. */
  readonly most: number
  readonly distance: string

  constructor(dataset: TensorOf<'float32'>, config: Uint8Array, hashes: Hashes | null) {
    this.dataset = dataset
    this.hashes = hashes
    this.neighbors = numberAt(config, CONFIG.neighbors, 1)
    const reordering = messageAt(config, CONFIG.reordering)
    this.most = reordering === null ? Infinity : numberAt(reordering, BEFORE_REORDERING, Infinity)
    this.distance = distanceOf(config)
  }
}

/** Hashes by their codes, read once. */
const READ = new WeakMap<Uint8Array, { readonly hashes: Hashes | null }>()

function hashesOf([, config, partitioner, tokens, codebook, codes]: readonly Tensor[]): Hashes | null {
  if (config.dtype !== 'string' || partitioner?.dtype !== 'string' || codebook?.dtype !== 'string') return null
  if (tokens.dtype !== 'int32' || codes?.dtype !== 'uint8' || codes.shape.length !== 2) return null
  const known = READ.get(codes.data)
  if (known !== undefined) return known.hashes
  const hashes = Hashes.of(config.data.at(0), partitioner.data.at(0), codebook.data.at(0), tokens.data, codes.data)
  READ.set(codes.data, { hashes })
  return hashes
}

const searcher: Op = {
  stateful: true,
  evaluate({ inputs }) {
    const [dataset, config] = inputs
    if (dataset.dtype !== 'float32') throw new TypeError(`x must be float32, got ${dataset.dtype}`)
    if (config.dtype !== 'string' || config.data.length !== 1)
      throw new InvalidArgumentError(`scann_config must be one string, got ${config.dtype}[${config.shape}]`)
    const hashes = hashesOf(inputs)
    return { dtype: 'variant', shape: [], data: [new Searcher(dataset, config.data.at(0), hashes)] }
  },
}

function searcherOf(call: Call): Searcher {
  const [handle] = call.inputs
  const held = handle.dtype === 'variant' ? handle.data[0] : undefined
  if (!(held instanceof Searcher)) throw new TypeError(`scann_handle must be a searcher, got ${handle.dtype}`)
  const { op, name } = call.node
  if (held.dataset.shape.length !== 2 && held.hashes === null)
    throw new UnsupportedOpError(
      op,
      name,
      'the index keeps its vectors only as hashes of a kind that ScaNN alone compares; export it with num_reordering_candidates, or as BruteForce',
    )
  if (!(held.distance in DISTANCES))
    throw new UnsupportedOpError(
      op,
      name,
      `an index by ${held.distance} is not searched, by dot product or squared L2 is`,
    )
  return held
}

/** The `k` nearest of `points`, of all where they are null. */
function exact(
  { data, shape: [rows, width] }: TensorOf<'float32'>,
  points: readonly number[] | null,
  query: Float32Array,
  k: number,
  measure: Distance,
): Neighbors {
  const count = points?.length ?? rows
  const distances = new Float32Array(count)
  for (let i = 0; i < count; i++) distances[i] = measure(query, 0, data, (points?.[i] ?? i) * width, width)
  const nearer = (i: number, j: number) => {
    const apart = distances[i] - distances[j]
    const last = Number(Number.isNaN(distances[i])) - Number(Number.isNaN(distances[j]))
    return (Number.isNaN(apart) ? last : apart) || (points === null ? i - j : points[i] - points[j])
  }
  const best = smallestOf(count, Math.min(k, count), nearer)
  return { points: best.map((i) => points?.[i] ?? i), distances: best.map((i) => distances[i]) }
}

/** The `k` nearest to `query`; where they are reordered, of the `before` that the hashes find. */
function nearest(
  { dataset, hashes, distance }: Searcher,
  query: Float32Array,
  k: number,
  before: number,
  leaves: number,
): Neighbors {
  const measure = DISTANCES[distance]
  const isKept = dataset.shape.length === 2
  const found = hashes?.search(query, isKept ? before : k, leaves, measure) ?? null
  return found !== null && !isKept ? found : exact(dataset, found?.points ?? null, query, k, measure)
}

/**
 * Rows of neighbours, the nearest first, of equally near ones the lowest index; a dot product is answered as it is. Rows
 * are as long as the longest: the rest of one is the index 0 at NaN.
 */
const search = (rank: 1 | 2, names: readonly string[]): Op => ({
  outputs: names,
  stateful: true,
  evaluate(call): Tensor[] {
    const searching = searcherOf(call)
    const { dataset, hashes, neighbors, most, distance } = searching
    const queries = call.inputs[1]
    if (queries.dtype !== 'float32') throw new TypeError(`queries must be float32, got ${queries.dtype}`)
    if (queries.shape.length !== rank)
      throw new InvalidArgumentError(`queries must have rank ${rank}, got shape [${queries.shape}]`)
    const width = hashes?.width ?? dataset.shape[1]
    if (queries.shape[rank - 1] !== width)
      throw new InvalidArgumentError(`the queries have ${queries.shape[rank - 1]} dimensions, the index has ${width}`)
    if (!queries.data.every(Number.isFinite))
      throw new InvalidArgumentError('the queries must be finite: ScaNN searches none with NaN or infinity')
    const wanted = integer(call, 2, 'final_num_neighbors')
    if (wanted < 1 && wanted !== -1)
      throw new InvalidArgumentError(`final_num_neighbors must be positive, got ${wanted}`)
    const asked = integer(call, 3, 'pre_reordering_num_neighbors')
    const leaves = integer(call, 4, 'leaves_to_search')
    const before = asked > 0 && dataset.shape.length === 2 ? asked : most
    const k = Math.min(wanted < 0 ? neighbors : wanted, before)
    const rows = Array.from({ length: rank === 1 ? 1 : queries.shape[0] }, (_, row) =>
      nearest(searching, queries.data.subarray(row * width, (row + 1) * width), k, before, leaves),
    )
    const longest = rows.reduce((most, { points }) => Math.max(most, points.length), 0)
    const indices = new Int32Array(rows.length * longest)
    const found = new Float32Array(rows.length * longest).fill(Number.NaN)
    const sign = distance === DOT_PRODUCT ? -1 : 1
    rows.forEach(({ points, distances }, row) => {
      indices.set(points, row * longest)
      for (let i = 0; i < points.length; i++) found[row * longest + i] = sign * distances[i]
    })
    const shape = rank === 1 ? [longest] : [rows.length, longest]
    return [tensor('int32', shape, indices), tensor('float32', shape, found)]
  },
})

export const ops: Readonly<Record<string, Op>> = {
  'Scann>TensorsToScann': searcher,
  'Scann>ScannSearch': search(1, ['index', 'distance']),
  'Scann>ScannSearchBatched': search(2, ['indices', 'distances']),
}
