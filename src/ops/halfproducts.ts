import { acrossLanes, LANES } from './halfsums.ts'

// The order in which Eigen adds up the products of a row and a column of half floats, each rounded, as TensorFlow's CPU kernels
// have it multiply matrices: Eigen/src/Core/{GeneralProduct.h,Redux.h,products/GeneralMatrixVector.h}.

/** One after the other, each `block` of them for itself; or, where `packets` is not 0, so many packets side by side. */
export interface Order {
  readonly block: number
  readonly packets: number
}

/** All of them one after the other. */
export const SEQUENCE: Order = { block: Infinity, packets: 0 }
/** Sizes whose sum is less are multiplied element by element (EIGEN_GEMM_TO_COEFFBASED_THRESHOLD). */
const SMALL = 20
/** From so many columns on a matrix by a vector is taken in blocks of columns: narrower ones where a column has so many bytes. */
const LONG = 128
const WIDE = 32000
const [BLOCK, NARROW] = [16, 4]

/** Of `count` left matrices [m × k] and right ones [k × n], and whether the one and the other lie transposed. */
export function orderOf(
  count: number,
  [m, k, n]: readonly [number, number, number],
  isLeftTransposed: boolean,
  isRightTransposed: boolean,
): Order {
  const isVector = m === 1 || n === 1
  /** What is multiplied lies together on both sides. */
  const together = !isLeftTransposed && isRightTransposed
  // One pair of matrices is a contraction of tensors, several are products of matrices.
  if (m + k + n < SMALL) return together && (isVector || count > 1) ? { ...SEQUENCE, packets: 1 } : SEQUENCE
  if (!isVector) return SEQUENCE
  if (m === 1 && n === 1) return together ? { ...SEQUENCE, packets: 2 } : SEQUENCE
  if (m === 1 ? isRightTransposed : !isLeftTransposed) return { ...SEQUENCE, packets: 1 }
  return k < LONG ? SEQUENCE : { block: 2 * Math.max(m, n) < WIDE ? BLOCK : NARROW, packets: 0 }
}

/** The sum of `terms`, which are rounded products. */
export function halfTotal(terms: Float32Array, { block, packets }: Order, round: (x: number) => number): number {
  const { length } = terms
  const onFrom = (initial: number, start: number, end: number): number => {
    let sum = initial
    for (let i = start; i < end; i++) sum = round(sum + terms[i])
    return sum
  }
  if (packets === 0) {
    let sum = 0
    for (let start = 0; start < length; start += block)
      sum = round(sum + onFrom(0, start, Math.min(start + block, length)))
    return sum
  }
  const lanes = new Float32Array(LANES * packets)
  const whole = length - (length % LANES)
  const unrolled = whole - (whole % lanes.length)
  for (let i = 0; i < unrolled; i++) lanes[i % lanes.length] = round(lanes[i % lanes.length] + terms[i])
  for (let i = LANES; i < lanes.length; i++) lanes[i % LANES] = round(lanes[i % LANES] + lanes[i])
  for (let i = unrolled; i < whole; i++) lanes[i % LANES] = round(lanes[i % LANES] + terms[i])
  return onFrom(round(acrossLanes(lanes, (a, b) => a + b)), whole, length)
}
