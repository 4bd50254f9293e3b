import { InvalidArgumentError, UnsupportedOpError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Tensor, tensor } from '../tensor/index.ts'
import { integer } from './integers.ts'
import { messageAt, numberAt } from './protobuf.ts'
import { DISTANCES, DOT_PRODUCT, distanceOf } from './scann/distances.ts'
import { SearchIndex } from './scann/searchindex.ts'

// ScaNN's ops (scann/scann_ops/cc/kernels/scann_ops.cc).

/** Fields of ScannConfig and of the messages in it (scann/proto). */
const CONFIG = { neighbors: 3, reordering: 17 } as const
const BEFORE_REORDERING = 1

/** What the handle of a searcher holds. */
class Searcher {
  /** Null where the index is of a kind that ScaNN alone searches. */
  readonly index: SearchIndex | null
  /** How many neighbours are found where a search does not say it. */
  readonly neighbors: number
  /** How many of the approximately nearest ScaNN compares exactly: no search finds more. */
  readonly most: number
  readonly distance: string

  constructor(config: Uint8Array, index: SearchIndex | null) {
    this.index = index
    this.neighbors = numberAt(config, CONFIG.neighbors, 1)
    const reordering = messageAt(config, CONFIG.reordering)
    this.most = reordering === null ? Infinity : numberAt(reordering, BEFORE_REORDERING, Infinity)
    this.distance = distanceOf(config)
  }
}

/** Searchers by the data of the first tensor that they are of, with the data of all: an index is read once. */
const READ = new WeakMap<object, { readonly of: readonly unknown[]; readonly searcher: Searcher }>()

const searcher: Op = {
  stateful: true,
  evaluate({ inputs }) {
    const [dataset, config] = inputs
    if (dataset.dtype !== 'float32') throw new TypeError(`x must be float32, got ${dataset.dtype}`)
    if (config.dtype !== 'string' || config.data.length !== 1)
      throw new InvalidArgumentError(`scann_config must be one string, got ${config.dtype}[${config.shape}]`)
    const known = READ.get(dataset.data)
    if (known?.of.every((data, i) => inputs[i]?.data === data))
      return { dtype: 'variant', shape: [], data: [known.searcher] }
    const searcher = new Searcher(config.data.at(0), SearchIndex.of(config.data.at(0), inputs))
    READ.set(dataset.data, { of: inputs.map(({ data }) => data), searcher })
    return { dtype: 'variant', shape: [], data: [searcher] }
  },
}

function searcherOf(call: Call): Searcher & { readonly index: SearchIndex } {
  const [handle] = call.inputs
  const held = handle.dtype === 'variant' ? handle.data[0] : undefined
  if (!(held instanceof Searcher)) throw new TypeError(`scann_handle must be a searcher, got ${handle.dtype}`)
  const { op, name } = call.node
  if (!(held.distance in DISTANCES))
    throw new UnsupportedOpError(
      op,
      name,
      `an index by ${held.distance} is not searched, by dot product or squared L2 is`,
    )
  if (!isSearched(held))
    throw new UnsupportedOpError(
      op,
      name,
      'the index keeps its vectors in a way that ScaNN alone searches; export it by score_ah with hash_type "lut16" or "lut256", or as BruteForce',
    )
  return held
}

const isSearched = (searcher: Searcher): searcher is Searcher & { readonly index: SearchIndex } =>
  searcher.index !== null

/**
 * Rows of neighbours, the nearest first, of equally near ones the lowest index; a dot product is answered as it is. Rows
 * are as long as the longest: the rest of one is the index 0 at NaN.
 */
const search = (rank: 1 | 2, names: readonly string[]): Op => ({
  outputs: names,
  stateful: true,
  evaluate(call): Tensor[] {
    const { index, neighbors, most, distance } = searcherOf(call)
    const queries = call.inputs[1]
    if (queries.dtype !== 'float32') throw new TypeError(`queries must be float32, got ${queries.dtype}`)
    if (queries.shape.length !== rank)
      throw new InvalidArgumentError(`queries must have rank ${rank}, got shape [${queries.shape}]`)
    const { width } = index
    if (queries.shape[rank - 1] !== width)
      throw new InvalidArgumentError(`the queries have ${queries.shape[rank - 1]} dimensions, the index has ${width}`)
    if (!queries.data.every(Number.isFinite))
      throw new InvalidArgumentError('the queries must be finite: ScaNN searches none with NaN or infinity')
    const wanted = integer(call, 2, 'final_num_neighbors')
    if (wanted < 1 && wanted !== -1)
      throw new InvalidArgumentError(`final_num_neighbors must be positive, got ${wanted}`)
    const asked = integer(call, 3, 'pre_reordering_num_neighbors')
    const leaves = integer(call, 4, 'leaves_to_search')
    const before = asked > 0 && index.reorders ? asked : most
    const k = Math.min(wanted < 0 ? neighbors : wanted, before)
    const rows = Array.from({ length: rank === 1 ? 1 : queries.shape[0] }, (_, row) =>
      index.search(queries.data.subarray(row * width, (row + 1) * width), k, before, leaves, distance),
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
