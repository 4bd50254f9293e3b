import { InvalidArgumentError, UnsupportedOpError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Tensor, type TensorOf, tensor, utf8 } from '../tensor/index.ts'
import { integer } from './integers.ts'
import { messageAt, numberAt } from './protobuf.ts'
import { smallestOf } from './rank.ts'

// ScaNN's ops (scann/scann_ops/cc/kernels/scann_ops.cc) without its approximation: where the index keeps the vectors for
// reordering, all of them are compared, so that what is found is at least as near as what ScaNN finds.

/** Fields of ScannConfig and of the messages in it (scann/proto). */
const CONFIG = { neighbors: 3, distance: 5, reordering: 17 } as const
const DISTANCE_NAME = 1
const BEFORE_REORDERING = 1

/** ScaNN's name for the inner product, which it negates for a distance. */
export const DOT_PRODUCT = 'DotProductDistance'

/** The name of the distance that the index of a serialized `config` is for. */
export function distanceOf(config: Uint8Array): string {
  const distance = messageAt(config, CONFIG.distance)
  const name = distance === null ? null : messageAt(distance, DISTANCE_NAME)
  return (name === null ? null : utf8(name)) ?? ''
}

/** What the handle of a searcher holds. */
class Searcher {
  readonly dataset: TensorOf<'float32'>
  /** How many neighbours are found where a search does not say it. */
  readonly neighbors: number
  /** How many of the approximately nearest ScaNN compares exactly: no search finds more. */
  readonly most: number
  readonly distance: string

  constructor(dataset: TensorOf<'float32'>, config: Uint8Array) {
    this.dataset = dataset
    this.neighbors = numberAt(config, CONFIG.neighbors, 1)
    const reordering = messageAt(config, CONFIG.reordering)
    this.most = reordering === null ? Infinity : numberAt(reordering, BEFORE_REORDERING, Infinity)
    this.distance = distanceOf(config)
  }
}

/** Only the vectors and the configuration of the index count; partitions and hashes are ScaNN's way to compare fewer. */
const searcher: Op = {
  stateful: true,
  evaluate({ inputs: [dataset, config] }) {
    if (dataset.dtype !== 'float32') throw new TypeError(`x must be float32, got ${dataset.dtype}`)
    if (config.dtype !== 'string' || config.data.length !== 1)
      throw new InvalidArgumentError(`scann_config must be one string, got ${config.dtype}[${config.shape}]`)
    return { dtype: 'variant', shape: [], data: [new Searcher(dataset, config.data.at(0))] }
  },
}

function searcherOf(call: Call): Searcher {
  const [handle] = call.inputs
  const held = handle.dtype === 'variant' ? handle.data[0] : undefined
  if (!(held instanceof Searcher)) throw new TypeError(`scann_handle must be a searcher, got ${handle.dtype}`)
  const { op, name } = call.node
  if (held.dataset.shape.length !== 2)
    throw new UnsupportedOpError(
      op,
      name,
      'the index keeps its vectors only as hashes, which ScaNN alone compares; export it with num_reordering_candidates, or as BruteForce',
    )
  if (!(held.distance in DISTANCES))
    throw new UnsupportedOpError(
      op,
      name,
      `an index by ${held.distance} is not searched, by dot product or squared L2 is`,
    )
  return held
}

type Distance = (query: Float32Array, from: number, vectors: Float32Array, at: number, width: number) => number

/** Distances by ScaNN's names: the nearest has the smallest. */
const DISTANCES: Readonly<Record<string, Distance>> = {
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

/** Rows of neighbours, the nearest first, of equally near ones the lowest index. A dot product is answered as it is. */
const search = (rank: 1 | 2, names: readonly string[]): Op => ({
  outputs: names,
  stateful: true,
  evaluate(call): Tensor[] {
    const { dataset, neighbors, most, distance } = searcherOf(call)
    const queries = call.inputs[1]
    if (queries.dtype !== 'float32') throw new TypeError(`queries must be float32, got ${queries.dtype}`)
    if (queries.shape.length !== rank)
      throw new InvalidArgumentError(`queries must have rank ${rank}, got shape [${queries.shape}]`)
    const [count, width] = dataset.shape
    if (queries.shape[rank - 1] !== width)
      throw new InvalidArgumentError(`the queries have ${queries.shape[rank - 1]} dimensions, the index has ${width}`)
    const wanted = integer(call, 2, 'final_num_neighbors')
    if (wanted < 1 && wanted !== -1)
      throw new InvalidArgumentError(`final_num_neighbors must be positive, got ${wanted}`)
    const before = integer(call, 3, 'pre_reordering_num_neighbors')
    const rows = rank === 1 ? 1 : queries.shape[0]
    const k = rows === 0 ? 0 : Math.min(wanted < 0 ? neighbors : wanted, before > 0 ? before : most, count)
    const [indices, found] = [new Int32Array(rows * k), new Float32Array(rows * k)]
    const measure = DISTANCES[distance]
    const distances = new Float32Array(count)
    const nearer = (i: number, j: number) => {
      const apart = distances[i] - distances[j]
      return (
        (Number.isNaN(apart) ? Number(Number.isNaN(distances[i])) - Number(Number.isNaN(distances[j])) : apart) || i - j
      )
    }
    const sign = distance === DOT_PRODUCT ? -1 : 1
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < count; i++) distances[i] = measure(queries.data, row * width, dataset.data, i * width, width)
      const nearest = smallestOf(count, k, nearer)
      indices.set(nearest, row * k)
      for (let i = 0; i < k; i++) found[row * k + i] = sign * distances[nearest[i]]
    }
    const shape = rank === 1 ? [k] : [rows, k]
    return [tensor('int32', shape, indices), tensor('float32', shape, found)]
  },
})

export const ops: Readonly<Record<string, Op>> = {
  'Scann>TensorsToScann': searcher,
  'Scann>ScannSearch': search(1, ['index', 'distance']),
  'Scann>ScannSearchBatched': search(2, ['indices', 'distances']),
}
