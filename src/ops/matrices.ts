import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { isFloat, type NumberArray, sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { broadcastIndices, broadcastShape } from './broadcast.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'

// Inverses, determinants and equations of the matrices in the two last dimensions, after core/kernels/linalg/*.cc. All is
// computed in double by LU decomposition with row pivots and rounded once.

/** Rows of numbers. */
export type Matrix = Float64Array[]

/** Input `i`: matrices, which must be square where `square` says so. */
export function matricesOf(call: Call, i: number, square: boolean): NumericTensor {
  const x = numeric(call, i)
  if (!isFloat(x.dtype)) throw new TypeError(`input ${i} must be of a float type, got ${x.dtype}`)
  const [rows, columns] = x.shape.slice(-2)
  if (x.shape.length < 2)
    throw new InvalidArgumentError(`Input tensor ${i} must have rank >= 2, got shape [${x.shape}]`)
  if (square && rows !== columns)
    throw new InvalidArgumentError(`Input matrix must be square, got ${rows} x ${columns}`)
  return x
}

/** Matrix `which` of a batch; `turned` is its transpose. */
export function matrixAt(x: NumericTensor, which: number, turned = false): Matrix {
  const [rows, columns] = x.shape.slice(-2)
  const data = x.data as NumberArray
  const start = which * rows * columns
  return turned
    ? Array.from({ length: columns }, (_, c) =>
        Float64Array.from({ length: rows }, (_, r) => data[start + r * columns + c]),
      )
    : Array.from({ length: rows }, (_, r) =>
        Float64Array.from(data.subarray(start + r * columns, start + (r + 1) * columns)),
      )
}

/** `a` becomes L (below the diagonal) and U; the rows of `b` are exchanged as those of `a`. The sign of the exchanges. */
export function decompose(a: Matrix, b: Matrix): number {
  let sign = 1
  for (let k = 0; k < a.length; k++) {
    let pivot = k
    for (let r = k + 1; r < a.length; r++) if (Math.abs(a[r][k]) > Math.abs(a[pivot][k])) pivot = r
    if (pivot !== k) {
      sign = -sign
      for (const rows of [a, b]) if (rows.length > 0) [rows[k], rows[pivot]] = [rows[pivot], rows[k]]
    }
    for (let r = k + 1; r < a.length && a[k][k] !== 0; r++) {
      a[r][k] /= a[k][k]
      for (let c = k + 1; c < a.length; c++) a[r][c] -= a[r][k] * a[k][c]
    }
  }
  return sign
}

/** `b` becomes x of T·x = b for a triangular T; `unit` takes ones for its diagonal. */
function substitute(t: Matrix, b: Matrix, lower: boolean, unit: boolean): void {
  for (let i = 0; i < t.length; i++) {
    const row = lower ? i : t.length - 1 - i
    for (let c = 0; c < b[row].length; c++) {
      let sum = b[row][c]
      for (let k = lower ? 0 : row + 1; k < (lower ? row : t.length); k++) sum -= t[row][k] * b[k][c]
      b[row][c] = unit ? sum : sum / t[row][row]
    }
  }
}

/** x of a·x = b. */
function solved(a: Matrix, b: Matrix): Matrix {
  decompose(a, b)
  if (a.some((row, i) => !(Math.abs(row[i]) > 0))) throw new InvalidArgumentError('Input matrix is not invertible.')
  substitute(a, b, true, true)
  substitute(a, b, false, false)
  return b
}

const identity = (size: number): Matrix =>
  Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)))

const count = (x: NumericTensor): number => sizeOf(x.shape.slice(0, -2))

/** A matrix for each matrix. */
const each = (result: (a: Matrix) => Matrix): Op => ({
  evaluate(call) {
    const x = matricesOf(call, 0, true)
    const size = sizeOf(x.shape.slice(-2))
    const adjoint = call.attrs.boolean('adjoint', false)
    return filled(x.dtype, x.shape, (out) => {
      for (let i = 0; i < count(x); i++) {
        result(matrixAt(x, i, adjoint)).forEach((row, r) => {
          ;(out as NumberArray).set(row, i * size + r * row.length)
        })
      }
    })
  },
})

/**
 * The lower triangle whose product with its transpose the matrix is, NaN where there is none; only the matrix's own lower
 * triangle is read.
 */
function cholesky(a: Matrix): Matrix {
  const lower = a.map(() => new Float64Array(a.length))
  for (let r = 0; r < a.length; r++) {
    for (let c = 0; c <= r; c++) {
      let sum = a[r][c]
      for (let k = 0; k < c; k++) sum -= lower[r][k] * lower[c][k]
      if (r === c && !(sum > 0)) return lower.map((row, i) => row.fill(Number.NaN, 0, i + 1))
      lower[r][c] = r === c ? Math.sqrt(sum) : sum / lower[c][c]
    }
  }
  return lower
}

/** The sign and the logarithm of the size of each determinant. */
function determinants(x: NumericTensor): { readonly sign: number; readonly log: number }[] {
  return Array.from({ length: count(x) }, (_, i) => {
    const a = matrixAt(x, i)
    let [sign, log] = [decompose(a, []), 0]
    for (const [r, row] of a.entries()) {
      const size = Math.abs(row[r])
      // TensorFlow calls a matrix singular too whose pivots are not finite.
      if (!(size > 0 && Number.isFinite(size))) return { sign: 0, log: -Infinity }
      sign *= Math.sign(row[r])
      log += Math.log(size)
    }
    return { sign, log }
  })
}

const determinant: Op = {
  evaluate(call) {
    const x = matricesOf(call, 0, true)
    return filled(x.dtype, x.shape.slice(0, -2), (out) => {
      for (let i = 0; i < out.length; i++) {
        const a = matrixAt(x, i)
        const sign = decompose(a, [])
        const product = a.reduce((so, row, r) => so * row[r], sign)
        out[i] = a.every((row, r) => Number.isFinite(row[r])) ? product : 0
      }
    })
  },
}

const logDeterminant: Op = {
  outputs: ['sign', 'log_abs_determinant'],
  evaluate(call) {
    const x = matricesOf(call, 0, true)
    const all = determinants(x)
    const outer = x.shape.slice(0, -2)
    const numbers = (of: (d: { sign: number; log: number }) => number): Tensor =>
      filled(x.dtype, outer, (out) => (out as NumberArray).set(all.map(of)))
    return [numbers(({ sign }) => sign), numbers(({ log }) => log)]
  },
}

/** x of a·x = b for each pair of matrices. */
const equations = (broadcasts: boolean, solve: (a: Matrix, b: Matrix, call: Call) => Matrix): Op => ({
  evaluate(call) {
    const [a, b] = [matricesOf(call, 0, true), matricesOf(call, 1, false)]
    const [rows, columns] = b.shape.slice(-2)
    const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
    if (a.shape[a.shape.length - 1] !== rows || (!broadcasts && !sameShape(outerA, outerB)))
      throw new InvalidArgumentError(`Input matrix and rhs are incompatible: [${a.shape}] vs. [${b.shape}]`)
    const batch = broadcastShape(outerA, outerB)
    const [whichA, whichB] = [broadcastIndices(outerA, batch), broadcastIndices(outerB, batch)]
    const adjoint = call.attrs.boolean('adjoint', false)
    return filled(b.dtype, [...batch, rows, columns], (out) => {
      for (let i = 0; i < sizeOf(batch); i++) {
        solve(matrixAt(a, whichA[i], adjoint), matrixAt(b, whichB[i]), call).forEach((row, r) => {
          ;(out as NumberArray).set(row, (i * rows + r) * columns)
        })
      }
    })
  },
})

const triangular = equations(true, (a, b, call) => {
  const lower = call.attrs.boolean('lower', true) !== call.attrs.boolean('adjoint', false)
  substitute(a, b, lower, false)
  return b
})

export const ops: Readonly<Record<string, Op>> = {
  MatrixInverse: each((a) => solved(a, identity(a.length))),
  Cholesky: each(cholesky),
  MatrixDeterminant: determinant,
  LogMatrixDeterminant: logDeterminant,
  MatrixSolve: equations(false, solved),
  MatrixTriangularSolve: triangular,
}
