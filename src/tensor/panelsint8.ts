// How int8 weights are made and laid out for the kernels: in memory, and in weights.bin.
import { PANEL } from './panels.ts'

/** Rows of W that lie together, one i32 lane of a kernel's vector; and the multiple to which k is padded. */
const QUAD = 4
const STEP = 8
/** The largest weight, and what four may come to: their products with 127 fit 16 bits, and four alike lose nothing. */
const MOST = 127
const MOST_OF_FOUR = 256

/** A matrix in bytes: w ≈ weights · scale · factor, the scale its column's, the factor its row's. */
export interface Int8Matrix {
  /** Row-major, k × n, −127 … 127. */
  readonly weights: Int8Array
  /** One a row, 0 … 1: x is multiplied by it before it is made integers. */
  readonly factors: Float32Array
  /** One a column. */
  readonly scales: Float32Array
}

const padded = (k: number): number => Math.ceil(k / STEP) * STEP

/** How many bytes `packInt8` makes of a k × n matrix. */
export const packedInt8Length = (k: number, n: number): number => Math.ceil(n / PANEL) * PANEL * padded(k)

/**
 * `weights`, k × n row-major and finite, in bytes.
 *
 * A row's factor is its root mean square, the largest one being 1: so a feature that the layer makes little of takes
 * little of x's seven bits, however large it is. (On the demo's towers the least cosine to floats rises from
 * 0.9943 to 0.9985 by it.) A column's scale is the least with which its largest weight is at most 127 and, within each eight rows,
 * neither rows 0, 1, 4, 5 nor rows 2, 3, 6, 7 are more than 256 together: the kernels add these four products in 16 bits.
 * At worst, all weights of one size, the second rule costs one bit.
 */
export function toInt8(weights: Float32Array, k: number, n: number): Int8Matrix {
  const factors = factorsOf(weights, k, n)
  const even = weights.map((weight, at) => {
    const factor = factors[Math.floor(at / n)]
    return factor === 0 ? 0 : weight / factor
  })
  const bytes = new Int8Array(k * n)
  const scales = new Float32Array(n)
  for (let j = 0; j < n; j++) {
    let largest = 0
    for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(even[i * n + j]))
    scales[j] = Math.max(largest / MOST, largestFour(even, j, k, n) / MOST_OF_FOUR)
    // Below the normal floats a scale is too coarse to divide by.
    if (scales[j] < LEAST_SCALE) scales[j] = 0
    // What rounding still carries past the bound, a larger scale takes back.
    for (; ; scales[j] *= 1 + 1 / 512) {
      for (let i = 0; i < k; i++) bytes[i * n + j] = scales[j] === 0 ? 0 : Math.round(even[i * n + j] / scales[j])
      if (largestFour(bytes, j, k, n) <= MOST_OF_FOUR) break
    }
  }
  return { weights: bytes, factors, scales }
}

/** The least normal float32. */
const LEAST_SCALE = 2 ** -126

/** A row of less than this part of the largest one counts as zeros. */
const LEAST_FACTOR = 1e-20

function factorsOf(weights: Float32Array, k: number, n: number): Float32Array {
  const sizes = Float64Array.from({ length: k }, (_, i) =>
    Math.sqrt(weights.subarray(i * n, i * n + n).reduce((sum, weight) => sum + weight * weight, 0) / n),
  )
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0)
  return Float32Array.from(sizes, (size) => (size > LEAST_FACTOR * largest ? size / largest : 0))
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
