/** Where a fit ended. */
export interface Fit {
  readonly parameters: readonly number[]
  /** Half the sum of the squared residuals; Infinity where there were none to begin with. */
  readonly cost: number
}

/** The step of a derivative: residuals are float32s, which have no digits for a smaller one. */
const STEP = 1e-3

/**
 * Least squares in at most `most` steps by Levenberg and Marquardt's method, with derivatives by central differences.
 * @param residuals null where the parameters cannot be; always of one length otherwise
 */
export function leastSquares(
  residuals: (parameters: readonly number[]) => readonly number[] | null,
  start: readonly number[],
  most: number,
): Fit {
  let parameters = [...start]
  let at = residuals(parameters)
  if (at === null) return { parameters, cost: Infinity }
  let [cost, damping] = [costOf(at), 1e-3]
  for (let step = 0; step < most; step++) {
    const derivatives = parameters.map((value, i) => {
      const moved = (by: number) => residuals(parameters.map((other, j) => (j === i ? value + by : other)))
      const [after, before] = [moved(STEP), moved(-STEP)]
      return after === null || before === null ? null : after.map((value, k) => (value - before[k]) / (2 * STEP))
    })
    if (derivatives.includes(null)) break
    const slopes = derivatives as readonly (readonly number[])[]
    const normal = slopes.map((a) => slopes.map((b) => dot(a, b)))
    const gradient = slopes.map((a) => dot(a, at as readonly number[]))
    let better = false
    for (; damping < 1e9; damping *= 10) {
      const damped = normal.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) + 1e-12 : value)))
      const change = solve(damped, gradient)
      if (change === null) continue
      const next = parameters.map((value, i) => value - change[i])
      const there = residuals(next)
      const reached = there === null ? Infinity : costOf(there)
      if (there === null || !(reached < cost)) continue
      better = reached < cost * (1 - 1e-6)
      ;[parameters, at, cost, damping] = [next, there, reached, Math.max(damping / 30, 1e-9)]
      break
    }
    if (!better) break
  }
  return { parameters, cost }
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i], 0)
const costOf = (residuals: readonly number[]): number => dot(residuals, residuals) / 2

/** The solution of a small system of linear equations by elimination; null where there is none. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | null {
  const rows = matrix.map((row, i) => [...row, right[i]])
  const size = rows.length
  for (let i = 0; i < size; i++) {
    const pivot = rows.slice(i).reduce((best, row, j) => (Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + j : best), i)
    ;[rows[i], rows[pivot]] = [rows[pivot], rows[i]]
    if (!(Math.abs(rows[i][i]) > 0)) return null
    for (let j = 0; j < size; j++) {
      if (j === i) continue
      const factor = rows[j][i] / rows[i][i]
      for (let k = i; k <= size; k++) rows[j][k] -= factor * rows[i][k]
    }
  }
  return rows.map((row, i) => row[size] / row[i])
}
