import type { Kernels, Pointer } from '../engine/kernels.ts'
import { ROUNDING } from './rounding.ts'

// A coarse look at items that are bytes: half the bits, which tell of most items that they are not among the nearest.

/** No sum of a wider product leaves 32 bits, times 256 as the baseline build has it. */
export const WIDEST = 768
/** What is added to all sums must leave room for them. */
const MOST_ADDED = 2 ** 21
/** The query's even numbers are rounded to seven bits, the odd ones to eight. */
const LARGEST_EVEN = 63
/** A bound that is no multiple of an item's scale: more than what is lost of numbers that float32 hardly holds. */
const SMALL = 2 ** -120

const padded = (rows: number): number => Math.ceil(rows / 32) * 32

/** Bytes of the coarse items, each padded to `stride` bytes. */
export const nibbleBytes = (rows: number, stride: number): number => padded(rows) * (stride / 2 + 4)

/** The bytes that the coarse items are made of, in linear memory. */
export interface RoundedItems {
  readonly rows: number
  readonly width: number
  readonly stride: number
  readonly items: Pointer
  readonly scales: Pointer
  readonly slacks: Pointer
  readonly halves: Pointer
}

/** A query that was rounded for them. */
export interface CoarseQuery {
  readonly at: Pointer
  /** What a unit of a sum is worth, times the item's scale, in products with the query made a unit vector. */
  readonly unit: number
  /** How much of the unit vector was lost. */
  readonly lost: number
  /** What makes the sums those of bytes about 0, before what the chunk adds. */
  readonly middle: number
  /** 1 / the query's length. */
  readonly per: number
}

/** How much coarse items of a chunk may be off, as multiples of their scales. */
interface ChunkBounds {
  /** |r| + |e| / s */
  readonly errors: number
  /** |c| */
  readonly length: number
}

/**
 * An item less the mean is x = s · (c + r) + e: s its scale, c what its nibbles say, r what they lack of its bytes, and e what
 * the bytes lack of it. A unit query is u = p + d, p as it was rounded. So
 *
 *     x · u = s · (c · p + c · d + r · u) + e · u ≤ s · (c · p + |c| |d| + |r| + |e| / s),
 *
 * and with the largest |c|, |r| and |e| / s of a chunk of items all of that but c · p and s is one number for them all. It is
 * added to the sums before they are multiplied, so that the coarse look reads no more than nibbles and scales. |r| differs
 * little from item to item: of 64 numbers its largest of 8,192 items is a fifth above its mean.
 */
export class Nibbles {
  private readonly kernels: Kernels
  private readonly memory: WebAssembly.Memory
  private readonly of: RoundedItems
  private readonly plane: Pointer
  private readonly chunk: number
  private readonly paired: number
  private readonly bounds: ChunkBounds[] = []

  /**
   * @param plane where `nibbleBytes` bytes of zeros lie
   * @param scratch 8 bytes
   * @param chunk how many items are looked at together, a multiple of 32
   */
  constructor(
    kernels: Kernels,
    memory: WebAssembly.Memory,
    of: RoundedItems,
    plane: Pointer,
    scratch: Pointer,
    chunk: number,
  ) {
    this.kernels = kernels
    this.memory = memory
    this.of = of
    this.plane = plane
    this.chunk = chunk
    this.paired = kernels.pairsBytes()
    const { rows, width, stride, items } = of
    for (let row = 0; row < rows; row += chunk) {
      const count = Math.min(chunk, rows - row)
      kernels.layNibbles(this.group(row), scratch, items + row * stride, Math.ceil(count / 4) * 4, stride, width)
      const [squaredErrors, squares] = new Int32Array(memory.buffer, scratch, 2)
      this.bounds.push({
        errors: Math.sqrt(squaredErrors) + this.taken(row, count),
        length: Math.sqrt(squares),
      })
    }
  }

  /** Where row `row`, a multiple of 4, lies. */
  private group(row: number): Pointer {
    return this.plane + row * (this.of.stride / 2 + 4)
  }

  /** The most that rounding to bytes took from one of these items, in multiples of its scale and besides `SMALL`. */
  private taken(row: number, count: number): number {
    const { buffer } = this.memory
    const scales = new Float32Array(buffer, this.of.scales + 4 * row, count)
    const slacks = new Float32Array(buffer, this.of.slacks + 4 * row, count)
    let most = 0
    for (let i = 0; i < count; i++) if (slacks[i] > SMALL) most = Math.max(most, (slacks[i] - SMALL) / scales[i])
    return most
  }

  /** Rounds a query of that length, and writes it at `at`: `stride` bytes. */
  ask(at: Pointer, sought: Float64Array, length: number): CoarseQuery {
    const asked = new Int8Array(this.memory.buffer, at, this.of.stride).fill(0)
    let largest = 0
    for (const value of sought) largest = Math.max(largest, Math.abs(value))
    const unit = largest / length / LARGEST_EVEN
    let [middle, squares] = [0, 0]
    for (let i = 0; i < sought.length; i++) {
      // A sum counts an odd place's sixteenths of bytes eightfold.
      const step = i % 2 === 0 ? unit : unit / 2
      asked[i] = Math.round(sought[i] / length / step)
      if (i % 2 === 1) middle -= 60 * asked[i]
      squares += (sought[i] / length - asked[i] * step) ** 2
    }
    return { at, unit, lost: Math.sqrt(squares), middle, per: 1 / length }
  }

  /**
   * Of `count` rows from `row`, the first of a chunk, those whose product with the query made a unit vector, less half of
   * their squared length times `per` for distances, can be `least` or more, ascending; null where bounds say nothing.
   * @param least as the scan has it, from which what it holds in doubt is taken off: of distances the rounding of half squares
   * @param out where they are written: 4 bytes a row
   * @param within bits of these rows that count, or 0 for all
   * @param scratch a bit a row, and 2 · `stride` bytes
   */
  reaching(
    query: CoarseQuery,
    row: number,
    count: number,
    least: number,
    out: Pointer,
    within: Pointer,
    scratch: Pointer,
  ): Int32Array | null {
    const { kernels } = this
    const { stride, scales, halves } = this.of
    const { errors, length } = this.bounds[row / this.chunk]
    // In units of a sum. No sum is larger than `most`, of which rounding it to float32 and multiplying take less than ROUNDING.
    const more = (errors + query.lost * length) / query.unit
    const most = ((1 + query.lost) * length) / query.unit + more + 8
    const added = (more + ROUNDING * (most + more)) * (1 + ROUNDING)
    if (!(added < MOST_ADDED)) return null
    const bound = (least - SMALL) / query.unit
    const end = scratch + 2 * stride
    kernels.scanNibbles(
      end,
      query.at,
      this.group(row),
      scales + 4 * row,
      halves === 0 ? 0 : halves + 4 * row,
      padded(count),
      stride,
      Math.ceil((query.middle + added) / 8),
      // Less than the bound in float32, too.
      bound - ROUNDING * Math.abs(bound),
      query.per / query.unit,
      scratch,
      this.paired,
    )
    return new Int32Array(this.memory.buffer, out, kernels.listBits(out, end, within, count, row))
  }
}
