import { ACTIVATIONS, type Pointer } from '../../engine/kernels.ts'
import { aligned } from '../../engine/linear.ts'
import { EPSILON } from '../../engine/similarity.ts'
import { packPanels } from '../../tensor/panels.ts'
import { squaresOf } from './rows.ts'
import { Workspace } from './workspace.ts'

/** Codewords of a pair of numbers: what four bits tell apart. */
export const WORDS = 16
/** Numbers of a codebook: the sixteen first ones, then the sixteen second. */
export const BOOK = 2 * WORDS
const BATCH = 1024
/** Times that each pair is coded anew, given the others. */
const PASSES = 2
/** Rounds of k-means, and after them of those that look along the vectors. */
const [PLAIN, LEANING] = [8, 4]

/** Pairs of numbers of a vector, padded to what the kernel takes at a time. */
export const pairsOf = (width: number): number => aligned(Math.ceil(width / 2), 4)

/** How the rest of an item, less its leaf's centroid, is turned and then coded. */
export interface Coding {
  readonly width: number
  /** `float32[leaves, width]` */
  readonly centroids: Float32Array
  /** `float32[width, 2 · pairs]`: what a rest is multiplied by. */
  readonly axes: Float32Array
  /** How much more an error along the item counts than one across it; 0 for as much. */
  readonly weight: number
}

/**
 * The weight of ScaNN's threshold T ("Accelerating Large-Scale Inference with Anisotropic Vector Quantization", Guo et al.,
 * ICML 2020, theorem 3.3): errors along count (width − 1) T² / (1 − T²) times those across.
 */
export const weightOf = (threshold: number, width: number): number =>
  Math.max(0, ((width - 1) * threshold ** 2) / (1 - threshold ** 2) - 1)

/** Codes rows by kernels. */
export class Encoder {
  private readonly coding: Coding
  private readonly pairs: number
  private readonly workspace: Workspace
  private readonly axes: Pointer
  private readonly books: Pointer
  private readonly given: Pointer
  private readonly rests: Pointer
  private readonly along: Pointer
  private readonly codes: Pointer

  constructor(module: WebAssembly.Module, coding: Coding) {
    const workspace = new Workspace(module)
    const pairs = pairsOf(coding.width)
    this.coding = coding
    this.pairs = pairs
    this.workspace = workspace
    this.axes = workspace.put(packPanels(coding.axes, coding.width, 2 * pairs))
    this.books = workspace.room(4 * BOOK * pairs)
    this.given = workspace.room(4 * BATCH * coding.width)
    this.rests = workspace.room(8 * BATCH * pairs)
    this.along = workspace.room(8 * BATCH * pairs)
    this.codes = workspace.room(BATCH * pairs)
  }

  /** What is to be coded of `rows` (`float32[n, width]`) in leaves `own`, and the unit vectors of the rows, both turned. */
  turned(rows: Float32Array, own: Uint32Array): { rests: Float32Array; along: Float32Array } {
    const columns = 2 * this.pairs
    const rests = new Float32Array(own.length * columns)
    const along = new Float32Array(own.length * columns)
    for (let start = 0; start < own.length; start += BATCH) {
      const count = this.lay(rows, own, start)
      rests.set(this.workspace.floats(this.rests, count * columns), start * columns)
      along.set(this.workspace.floats(this.along, count * columns), start * columns)
    }
    return { rests, along }
  }

  /** The codes of `rows` in leaves `own`: u8[n, pairs]. */
  encode(rows: Float32Array, own: Uint32Array, codebooks: Float32Array): Uint8Array {
    const { pairs } = this
    const codes = new Uint8Array(own.length * pairs)
    for (let start = 0; start < own.length; start += BATCH) {
      const count = this.lay(rows, own, start)
      codes.set(this.coded(count, codebooks, this.coding.weight), start * pairs)
    }
    return codes
  }

  /** The codes of what `turned` gave. */
  encodeTurned(rests: Float32Array, along: Float32Array, codebooks: Float32Array, weight: number): Uint8Array {
    const { workspace, pairs } = this
    const columns = 2 * pairs
    const codes = new Uint8Array(rests.length / 2)
    for (let start = 0; start < rests.length; start += BATCH * columns) {
      const length = Math.min(BATCH * columns, rests.length - start)
      workspace.floats(this.rests, length).set(rests.subarray(start, start + length))
      workspace.floats(this.along, length).set(along.subarray(start, start + length))
      codes.set(this.coded(length / columns, codebooks, weight), start / 2)
    }
    return codes
  }

  private coded(count: number, codebooks: Float32Array, weight: number): Uint8Array {
    const { workspace, pairs } = this
    workspace.floats(this.books, codebooks.length).set(codebooks)
    const along = weight > 0 ? this.along : 0
    workspace.kernels.encodePairs(this.codes, this.rests, along, this.books, count, pairs, weight, PASSES)
    return workspace.bytes(this.codes, count * pairs)
  }

  private lay(rows: Float32Array, own: Uint32Array, start: number): number {
    const { workspace, pairs } = this
    const { width, centroids } = this.coding
    const count = Math.min(BATCH, own.length - start)
    const given = workspace.floats(this.given, count * width)
    const turn = (out: Pointer) =>
      workspace.kernels.dense(out, this.given, this.axes, 0, count, width, 2 * pairs, ACTIVATIONS.none, 0)
    for (let row = 0, to = 0; row < count; row++)
      for (let from = (start + row) * width, c = own[start + row] * width, end = from + width; from < end; )
        given[to++] = rows[from++] - centroids[c++]
    turn(this.rests)
    for (let row = 0, to = 0; row < count; row++) {
      const from = (start + row) * width
      const unit = 1 / Math.sqrt(Math.max(squaresOf(rows, from, width), EPSILON))
      for (let i = from; i < from + width; i++) given[to++] = rows[i] * unit
    }
    turn(this.along)
    return count
  }
}

/**
 * Codebooks for `rests` by k-means, `float32[pairs, 2, 16]`: first of the squares of the errors, then with those along
 * `along` counted `weight` times more, where each codeword is what is best for all that are coded by it, given their other
 * pairs.
 */
export function trainCodebooks(
  encoder: Encoder,
  { rests, along }: { rests: Float32Array; along: Float32Array },
  pairs: number,
  weight: number,
): Float32Array {
  const rows = rests.length / (2 * pairs)
  const codebooks = new Float32Array(BOOK * pairs)
  for (let pair = 0; pair < pairs; pair++)
    for (let word = 0; word < WORDS; word++) {
      const from = Math.floor((word * rows) / WORDS) * 2 * pairs + 2 * pair
      codebooks[pair * BOOK + word] = rests[from]
      codebooks[pair * BOOK + WORDS + word] = rests[from + 1]
    }
  for (let round = 0; round < PLAIN + (weight > 0 ? LEANING : 0); round++) {
    const counted = round < PLAIN ? 0 : weight
    const codes = encoder.encodeTurned(rests, along, codebooks, counted)
    const drift = counted > 0 ? drifts(rests, along, codebooks, codes, pairs) : new Float64Array(rows)
    for (let pair = 0; pair < pairs; pair++) settle(codebooks, { rests, along, codes, drift, pairs }, pair, counted)
  }
  return codebooks
}

interface Coded {
  readonly rests: Float32Array
  readonly along: Float32Array
  readonly codes: Uint8Array
  /** Σ error · along of each row, kept as codewords move. */
  readonly drift: Float64Array
  readonly pairs: number
}

/** Moves the codewords of a pair to where Σ e² + weight · drift² is least: two equations a codeword. */
function settle(codebooks: Float32Array, coded: Coded, pair: number, weight: number): void {
  const { rests, along, codes, drift, pairs } = coded
  const book = pair * BOOK
  const before = codebooks.slice(book, book + BOOK)
  // Of each codeword: how many, Σ of what they want of its two numbers, and weight · Σ of u², uv and v².
  const [counts, p, q] = [new Float64Array(WORDS), new Float64Array(WORDS), new Float64Array(WORDS)]
  const [uu, uv, vv] = [new Float64Array(WORDS), new Float64Array(WORDS), new Float64Array(WORDS)]
  for (let row = 0, at = 2 * pair; row < drift.length; row++, at += 2 * pairs) {
    const code = codes[row * pairs + pair]
    counts[code]++
    p[code] += rests[at]
    q[code] += rests[at + 1]
    if (weight === 0) continue
    const [u, v] = [along[at], along[at + 1]]
    const wanted = weight * (drift[row] + before[code] * u + before[WORDS + code] * v)
    p[code] += u * wanted
    q[code] += v * wanted
    uu[code] += weight * u * u
    uv[code] += weight * u * v
    vv[code] += weight * v * v
  }
  for (let code = 0; code < WORDS; code++) {
    if (counts[code] === 0) continue
    const [a, b] = [counts[code] + uu[code], counts[code] + vv[code]]
    const determinant = a * b - uv[code] ** 2
    codebooks[book + code] = (p[code] * b - q[code] * uv[code]) / determinant
    codebooks[book + WORDS + code] = (q[code] * a - p[code] * uv[code]) / determinant
  }
  if (weight === 0) return
  const moved = before.map((value, i) => value - codebooks[book + i])
  for (let row = 0, at = 2 * pair; row < drift.length; row++, at += 2 * pairs) {
    const code = codes[row * pairs + pair]
    drift[row] += moved[code] * along[at] + moved[WORDS + code] * along[at + 1]
  }
}

function drifts(
  rests: Float32Array,
  along: Float32Array,
  codebooks: Float32Array,
  codes: Uint8Array,
  pairs: number,
): Float64Array {
  const drift = new Float64Array(codes.length / pairs)
  for (let row = 0, at = 0, of = 0; row < drift.length; row++)
    for (let book = 0; book < codebooks.length; book += BOOK, at += 2) {
      const code = book + codes[of++]
      drift[row] += (rests[at] - codebooks[code]) * along[at]
      drift[row] += (rests[at + 1] - codebooks[code + WORDS]) * along[at + 1]
    }
  return drift
}
