import { aligned } from '../../engine/linear.ts'
import { Assigner } from './centroids.ts'
import { Encoder, pairsOf, WORDS } from './codebooks.ts'
import { Rows, squaresOf } from './rows.ts'
import type { Trained } from './train.ts'

/** Items of a block of codes. */
export const BLOCK = 32
/** What an item's height is counted in: shares of its leaf's span. */
export const STEPS = 32_767
/** Rows that are coded at a time. */
const BATCH = 4096

/** Items by their leaves, coded. */
export interface Filled {
  /** u32[leaves + 1]: leaf i has the slots starts[i] … starts[i + 1], a multiple of 32; the first sizes[i] hold items. */
  readonly starts: Uint32Array
  readonly sizes: Uint32Array
  /** u32[slots]: the item of each. */
  readonly rows: Uint32Array
  /**
   * u8[slots · pairs / 2]: blocks of 32 items, of each pair of numbers 16 bytes: item i of the block has the low half of byte
   * i, item 16 + i the high half.
   */
  readonly codes: Uint8Array
  /** float32[leaves]: how far a leaf's items lie from its centroid, the root of the mean square. */
  readonly spreads: Float32Array
  /** Items that are not finite, or so long that their products are not: they are always candidates. */
  readonly odd: Uint32Array
  /** Of distances half the square of each item: floors[leaf] + heights[slot] · spans[leaf] / 32,767; else empty. */
  readonly floors: Float32Array
  readonly spans: Float32Array
  readonly heights: Uint16Array
}

/** Puts each of `vectors` into the leaf whose centroid is the nearest, and codes what is left of it. */
export function fill(vectors: Float32Array, trained: Trained, module: WebAssembly.Module): Filled {
  const { width, metric, mean, centroids, codebooks } = trained
  const source = new Rows(vectors, width, metric, mean)
  const { usual, odd } = source.sorted()
  const leaves = width === 0 ? 0 : centroids.length / width
  const far = metric === 'euclidean'
  const own = new Uint32Array(usual.length)
  const halves = new Float32Array(far ? usual.length : 0)
  const spreads = new Float64Array(leaves)
  const assigner = new Assigner(module, centroids, width)
  for (let start = 0; start < usual.length; start += BATCH) {
    const rows = source.take(usual.subarray(start, start + BATCH))
    assigner.assign(rows, own.subarray(start, start + BATCH))
    for (let i = start, at = 0; at < rows.length; i++, at += width) {
      if (far) halves[i] = squaresOf(rows, at, width) / 2
      for (let from = at, c = own[i] * width, end = at + width; from < end; from++, c++)
        spreads[own[i]] += (rows[from] - centroids[c]) ** 2
    }
  }

  const sizes = new Uint32Array(leaves)
  for (const leaf of own) sizes[leaf]++
  const starts = new Uint32Array(leaves + 1)
  for (let leaf = 0; leaf < leaves; leaf++) starts[leaf + 1] = starts[leaf] + aligned(sizes[leaf], BLOCK)
  const rows = new Uint32Array(starts[leaves])
  const slots = new Uint32Array(usual.length)
  const next = starts.slice()
  for (let i = 0; i < usual.length; i++) {
    slots[i] = next[own[i]]++
    rows[slots[i]] = usual[i]
  }

  const pairs = pairsOf(width)
  const codes = new Uint8Array((starts[leaves] * pairs) / 2)
  const encoder = new Encoder(module, trained)
  for (let start = 0; start < usual.length; start += BATCH) {
    const end = Math.min(usual.length, start + BATCH)
    const coded = encoder.encode(source.take(usual.subarray(start, end)), own.subarray(start, end), codebooks)
    for (let i = start, of = 0; i < end; i++) {
      const lane = slots[i] % BLOCK
      const shift = lane < WORDS ? 0 : 4
      let at = ((slots[i] - lane) / 2) * pairs + (lane % WORDS)
      for (let pair = 0; pair < pairs; pair++, at += WORDS) codes[at] |= coded[of++] << shift
    }
  }
  const spread = Float32Array.from(spreads, (sum, leaf) => Math.sqrt(sum / Math.max(1, sizes[leaf])))
  const heights = far ? raised(halves, own, slots, leaves, starts[leaves]) : LEVEL
  return { starts, sizes, rows, codes, spreads: spread, odd, ...heights }
}

type Heights = Pick<Filled, 'floors' | 'spans' | 'heights'>
/** Of products, which need no squares. */
const LEVEL: Heights = { floors: new Float32Array(0), spans: new Float32Array(0), heights: new Uint16Array(0) }

/** Half squares as heights over the least of each leaf; there may be no items at all. */
function raised(halves: Float32Array, own: Uint32Array, slots: Uint32Array, leaves: number, count: number): Heights {
  const floors = new Float32Array(leaves).fill(Infinity)
  const spans = new Float32Array(leaves)
  const heights = new Uint16Array(count)
  for (let i = 0; i < own.length; i++) floors[own[i]] = Math.min(floors[own[i]], halves[i])
  for (let i = 0; i < own.length; i++) spans[own[i]] = Math.max(spans[own[i]], halves[i] - floors[own[i]])
  for (let i = 0; i < own.length; i++) {
    const span = spans[own[i]]
    heights[slots[i]] = span > 0 ? Math.min(STEPS, Math.round(((halves[i] - floors[own[i]]) / span) * STEPS)) : 0
  }
  return { floors: floors.map((floor) => (Number.isFinite(floor) ? floor : 0)), spans, heights }
}
