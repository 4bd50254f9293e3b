import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { isFloat, type NumberArray, sameShape, sizeOf } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { checkOptions } from './options.ts'

// Matrices that are zero but on three diagonals, after core/kernels/linalg/{tridiagonal_matmul,tridiagonal_solve}_op.cc, in double and
// rounded once.

/** `diagonals` are, each of as many as there are rows, the one above the main one, this, and the one below. */
const matmul: Op = {
  evaluate(call) {
    const [above, main, below, rhs] = [0, 1, 2, 3].map((i) => numeric(call, i))
    const [rows, columns] = rhs.shape.slice(-2)
    for (const diagonal of [above, main, below]) {
      if (!sameShape(diagonal.shape, [...rhs.shape.slice(0, -2), 1, rows]) || rhs.shape.length < 2)
        throw new InvalidArgumentError(
          `a diagonal must be of shape […, 1, M] beside rhs […, M, N]: [${diagonal.shape}] vs. [${rhs.shape}]`,
        )
    }
    const [a, b, c, x] = [above, main, below, rhs].map(({ data }) => data as NumberArray)
    return filled(rhs.dtype, rhs.shape, (out) => {
      for (let at = 0; at < out.length; at++) {
        const place = Math.floor(at / columns)
        const row = place % rows
        let sum = b[place] * x[at]
        if (row > 0) sum += c[place] * x[at - columns]
        if (row < rows - 1) sum += a[place] * x[at + columns]
        out[at] = sum
      }
    })
  },
}

interface Equations {
  readonly above: Float64Array
  readonly main: Float64Array
  readonly below: Float64Array
  /** Becomes the solution. */
  readonly x: Float64Array[]
}

/** Without exchanges of rows (Thomas). False where a pivot is zero. */
function eliminate({ above, main, below, x }: Equations): boolean {
  const rows = main.length
  for (let i = 0; i < rows; i++) {
    const pivot = main[i] - (i > 0 ? below[i] * above[i - 1] : 0)
    if (pivot === 0) return false
    above[i] /= pivot
    x[i].forEach((value, k) => {
      x[i][k] = (value - (i > 0 ? below[i] * x[i - 1][k] : 0)) / pivot
    })
  }
  for (let i = rows - 2; i >= 0; i--) for (let k = 0; k < x[i].length; k++) x[i][k] -= above[i] * x[i + 1][k]
  return true
}

/** The row with the larger number comes first. False where a pivot is zero. */
function eliminateLargest({ above, main, below, x }: Equations): boolean {
  const rows = main.length
  const further = new Float64Array(rows)
  for (let i = 0; i < rows - 1; i++) {
    const isSwapped = Math.abs(main[i]) < Math.abs(below[i + 1])
    if (isSwapped) {
      ;[main[i], below[i + 1]] = [below[i + 1], main[i]]
      ;[above[i], main[i + 1]] = [main[i + 1], above[i]]
      ;[x[i], x[i + 1]] = [x[i + 1], x[i]]
      ;[further[i], above[i + 1]] = [above[i + 1], 0]
    }
    if (main[i] === 0) return false
    const factor = below[i + 1] / main[i]
    main[i + 1] -= factor * above[i]
    above[i + 1] -= factor * further[i]
    for (let k = 0; k < x[i].length; k++) x[i + 1][k] -= factor * x[i][k]
  }
  if (main[rows - 1] === 0) return false
  for (let i = rows - 1; i >= 0; i--) {
    for (let k = 0; k < x[i].length; k++) {
      let value = x[i][k]
      if (i < rows - 1) value -= above[i] * x[i + 1][k]
      if (i < rows - 2) value -= further[i] * x[i + 2][k]
      x[i][k] = value / main[i]
    }
  }
  return true
}

const solve: Op = {
  evaluate(call) {
    const [diagonals, rhs] = [numeric(call, 0), numeric(call, 1)]
    if (!isFloat(rhs.dtype)) throw new TypeError(`${rhs.dtype} is not a type of this op`)
    const [three, rows] = diagonals.shape.slice(-2)
    const [height, columns] = rhs.shape.slice(-2)
    const batch = rhs.shape.slice(0, -2)
    if (three !== 3) throw new InvalidArgumentError(`Expected 3 diagonals got ${three}.`)
    if (rows !== height || !sameShape(diagonals.shape.slice(0, -2), batch))
      throw new InvalidArgumentError(
        `The length of diagonals and the rows of rhs must be equal: [${diagonals.shape}] vs. [${rhs.shape}]`,
      )
    checkOptions(call.node)
    const pivots = call.attrs.boolean('partial_pivoting', true)
    const [d, b] = [diagonals.data as NumberArray, rhs.data as NumberArray]
    return filled(rhs.dtype, rhs.shape, (out) => {
      for (let i = 0; i < sizeOf(batch) && rows > 0; i++) {
        const [above, main, below] = [0, 1, 2].map((k) =>
          Float64Array.from(d.subarray((3 * i + k) * rows, (3 * i + k + 1) * rows)),
        )
        const row = (r: number) => (i * rows + r) * columns
        const x = Array.from({ length: rows }, (_, r) => Float64Array.from(b.subarray(row(r), row(r + 1))))
        const isSolved = (pivots ? eliminateLargest : eliminate)({ above, main, below, x })
        // TensorFlow warns and answers NaN where there is no solution.
        x.forEach((values, r) => {
          ;(out as NumberArray).set(isSolved ? values : values.fill(Number.NaN), row(r))
        })
      }
    })
  },
}

export const ops: Readonly<Record<string, Op>> = { TridiagonalMatMul: matmul, TridiagonalSolve: solve }
