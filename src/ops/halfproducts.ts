import { acrossLanes, LANES } from './halfsums.ts'

// The order in which Eigen adds up the products of a row and a column of half floats, each rounded, as Einsum has them
// multiplied: Eigen/src/Core/products/GeneralMatrixVector.h and GeneralProduct.h.

/** One after the other, or a matrix by a vector: in blocks where it lies by columns, in packets where it lies by rows. */
export type Order = 'sequence' | 'blocks' | 'packets'

/** Sizes whose sum is less than this are multiplied without blocks or packets (EIGEN_GEMM_TO_COEFFBASED_THRESHOLD). */
const SMALL = 20
/** Products from which on a matrix by columns is taken in blocks, how many are one, and how many where a row has these bytes. */
const LONG = 128
const BLOCK = 16
const NARROW_BLOCK = 4
const WIDE = 32000

/** Of a left matrix [m × k], a right one [k × n], and which of them lies transposed. */
export function orderOf(
  [m, k, n]: readonly [number, number, number],
  isLeftTransposed: boolean,
  isRightTransposed: boolean,
): { readonly order: Order; readonly block: number } {
  const width = m === 1 ? n : m
  const block = 2 * width < WIDE ? BLOCK : NARROW_BLOCK
  if ((m !== 1 && n !== 1) || width === 1 || m + k + n < SMALL) return { order: 'sequence', block }
  if (m === 1 ? isRightTransposed : !isLeftTransposed) return { order: 'packets', block }
  return { order: k < LONG ? 'sequence' : 'blocks', block }
}

/** The sum of `terms`, which are rounded products. */
export function halfTotal(
  terms: Float32Array,
  { order, block }: ReturnType<typeof orderOf>,
  round: (x: number) => number,
): number {
  const sequence = (start: number, end: number, initial: number): number => {
    let sum = initial
    for (let i = start; i < end; i++) sum = round(sum + terms[i])
    return sum
  }
  if (order === 'sequence') return sequence(0, terms.length, 0)
  if (order === 'blocks') {
    let sum = 0
    for (let start = 0; start < terms.length; start += block)
      sum = round(sum + sequence(start, Math.min(start + block, terms.length), 0))
    return sum
  }
  const lanes = new Float32Array(LANES)
  const whole = terms.length - (terms.length % LANES)
  for (let i = 0; i < whole; i++) lanes[i % LANES] = round(lanes[i % LANES] + terms[i])
  return sequence(whole, terms.length, round(acrossLanes(lanes, (a, b) => a + b)))
}
