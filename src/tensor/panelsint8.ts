// How int8 weights are made and laid out for the kernels: in memory, and in weights.bin.
import { PANEL } from './panels.ts'

/** Rows of W that lie together, one i32 lane of a kernel's vector; and the multiple to which k is padded. */
const QUAD = 4
const STEP = 8
/** The largest weight, and what four may come to: their products with 127 fit 16 bits, and four alike lose nothing. */
const MOST = 127
const MOST_OF_FOUR = 256

/** A matrix in bytes: w ≈ weights · scale, column by column. */
export interface Int8Matrix {
  /** Row-major, k × n, −127 … 127. */
  readonly weights: Int8Array
  /** One a column. */
  readonly scales: Float32Array
}

const padded = (k: number): number => Math.ceil(k / STEP) * STEP

/** How many bytes `packInt8` makes of a k × n matrix. */
export const packedInt8Length = (k: number, n: number): number => Math.ceil(n / PANEL) * PANEL * padded(k)

/**
 * `weights`, k × n row-major and finite, in bytes. A column's scale is the least with which its largest weight is at most
 * 127 and, within each eight rows, neither rows 0, 1, 4, 5 nor rows 2, 3, 6, 7 are more than 256 together: the kernels
 * add these four products in 16 bits. Of weights as training leaves them few columns are scaled by the second rule; at
 * worst, all weights of one size, it costs one bit.
 */
export function toInt8(weights: Float32Array, k: number, n: number): Int8Matrix {
  const bytes = new Int8Array(k * n)
  const scales = new Float32Array(n)
  for (let j = 0; j < n; j++) {
    let largest = 0
    for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(weights[i * n + j]))
    scales[j] = Math.max(largest / MOST, largestFour(weights, j, k, n) / MOST_OF_FOUR)
    // What rounding still carries past the bound, a larger scale takes back.
    for (; ; scales[j] *= 1 + 1 / 512) {
      for (let i = 0; i < k; i++) bytes[i * n + j] = largest === 0 ? 0 : Math.round(weights[i * n + j] / scales[j])
      if (largestFour(bytes, j, k, n) <= MOST_OF_FOUR) break
    }
  }
  return { weights: bytes, scales }
}

/** The most that four elements of column j come to whose products are added in 16 bits. */
function largestFour(matrix: Float32Array | Int8Array, j: number, k: number, n: number): number {
  const at = (i: number) => (i < k ? Math.abs(matrix[i * n + j]) : 0)
  let most = 0
  for (let i = 0; i < k; i += STEP)
    for (const first of [i, i + 2]) most = Math.max(most, at(first) + at(first + 1) + at(first + 4) + at(first + 5))
  return most
}

/**
 * A k × n matrix of bytes, row-major, as `denseInt8` reads it: panel p holds columns 16p … 16p + 15; in a panel, for
 * every four rows, column after column, its four weights together. k is padded to a multiple of 8, n to one of 16, with
 * zeros. So element (i, j) is at (⌊j / 16⌋ · K + 4⌊i / 4⌋) · 16 + 4 (j mod 16) + i mod 4, K being k padded.
 * @throws {RangeError} where `weights` has not k · n elements
 */
export function packInt8(weights: Int8Array, k: number, n: number): Int8Array {
  expectLength('weights', weights, k * n, k, n)
  const packed = new Int8Array(packedInt8Length(k, n))
  for (let i = 0; i < k; i++) for (let j = 0; j < n; j++) packed[place(i, j, k)] = weights[i * n + j]
  return packed
}

/**
 * The k × n matrix of which `packInt8` made `packed`.
 * @throws {RangeError} where `packed` has not the length that k and n ask for
 */
export function unpackInt8(packed: Int8Array, k: number, n: number): Int8Array {
  expectLength('packed', packed, packedInt8Length(k, n), k, n)
  const weights = new Int8Array(k * n)
  for (let i = 0; i < k; i++) for (let j = 0; j < n; j++) weights[i * n + j] = packed[place(i, j, k)]
  return weights
}

function place(i: number, j: number, k: number): number {
  const panel = Math.floor(j / PANEL) * padded(k)
  return (panel + QUAD * Math.floor(i / QUAD)) * PANEL + QUAD * (j % PANEL) + (i % QUAD)
}

/** The shape of the packed array: panels, fours of rows, columns, four rows. */
export const packedInt8Shape = (k: number, n: number): readonly number[] => [
  Math.ceil(n / PANEL),
  padded(k) / QUAD,
  PANEL,
  QUAD,
]

function expectLength(name: string, array: Int8Array, length: number, k: number, n: number): void {
  if (array.length === length) return
  throw new RangeError(`${name} of a ${k} × ${n} matrix has ${length} bytes, got ${array.length}`)
}
