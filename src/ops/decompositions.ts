import { InvalidArgumentError, UnsupportedOpError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type NumberArray, sizeOf, type Tensor } from '../tensor/index.ts'
import { filled, type NumericTensor } from './elementwise.ts'
import { integerTensor } from './integers.ts'
import { decompose, type Matrix, matricesOf, matrixAt } from './matrices.ts'
import { checkOptions } from './options.ts'

// Matrices taken apart, after core/kernels/linalg/{lu,qr,svd,self_adjoint_eig_v2}_op.cc, computed in double and rounded once. Where
// Eigen's answer hangs on its own roundings (signs of singular vectors and of eigenvectors) there is none here.

function wide(x: NumericTensor): NumericTensor {
  if (x.dtype !== 'float32' && x.dtype !== 'float64') throw new TypeError(`${x.dtype} is not a type of this op`)
  return x
}

const batchOf = (x: NumericTensor): number[] => x.shape.slice(0, -2)

/** A tensor of one matrix or vector for each matrix of a batch. */
const stacked = (x: NumericTensor, inner: readonly number[], of: (i: number) => readonly ArrayLike<number>[]): Tensor =>
  filled(x.dtype, [...batchOf(x), ...inner], (out) => {
    let at = 0
    for (let i = 0; i < sizeOf(batchOf(x)); i++) {
      for (const row of of(i)) {
        ;(out as NumberArray).set(row, at)
        at += row.length
      }
    }
  })

/** L below the diagonal and U, and which row stands where. */
const lu: Op = {
  outputs: ['lu', 'p'],
  evaluate(call) {
    const x = wide(matricesOf(call, 0, true))
    const size = x.shape[x.shape.length - 1]
    const rows: number[] = []
    const result = stacked(x, [size, size], (i) => {
      const a = matrixAt(x, i)
      const order = Array.from({ length: size }, (_, row) => Float64Array.of(row))
      decompose(a, order)
      if (a.some((row, r) => !(Math.abs(row[r]) > 0))) throw new InvalidArgumentError('Input is not invertible.')
      rows.push(...order.map(([row]) => row))
      return a
    })
    return [result, integerTensor(call.attrs.dtype('output_idx_type', 'int32'), [...batchOf(x), size], rows)]
  },
}

/** Householder's reflection of one column: 1 − tau·v·vᵀ, v being 1 and then `tail`. */
interface Reflection {
  readonly tau: number
  readonly tail: Float64Array
}

/** The least part of a column that does not come from roundings, and the least normal number. */
interface Least {
  readonly part: number
  readonly normal: number
}

const LEAST = { float32: { part: 1e-5, normal: 2 ** -126 }, float64: { part: 1e-13, normal: 2 ** -1022 } }

/** `a` becomes R, null where it depends on roundings; Eigen's HouseholderQR, so that the signs are its. */
function triangularised(a: Matrix, columns: number, least: Least): Reflection[] | null {
  const norms = Array.from({ length: columns }, (_, c) => Math.hypot(...a.map((row) => row[c])))
  const reflections: Reflection[] = []
  for (let k = 0; k < Math.min(a.length, columns); k++) {
    const tail = Float64Array.from(a.slice(k + 1), (row) => row[k])
    const first = a[k][k]
    const rest = Math.hypot(...tail)
    // What cancels is zero or not by a rounding, and with that the sign of all that follows.
    const isCancelled = Math.hypot(first, rest) <= least.part * norms[k] && reflections.some(({ tau }) => tau !== 0)
    if (tail.length > 0 && isCancelled) return null
    // Eigen takes for nothing what is no normal number when it is squared.
    if (rest * rest <= least.normal) {
      reflections.push({ tau: 0, tail: tail.fill(0) })
      for (let r = k + 1; r < a.length; r++) a[r][k] = 0
      continue
    }
    const size = Math.hypot(first, rest) * (first >= 0 ? -1 : 1)
    const reflection = { tau: (size - first) / size, tail: tail.map((x) => x / (first - size)) }
    reflections.push(reflection)
    reflect(a, k, reflection, k + 1)
    a[k][k] = size
    for (let r = k + 1; r < a.length; r++) a[r][k] = 0
  }
  return reflections
}

/** Applies a reflection to the rows from `k` on, in the columns from `from` on. */
function reflect(a: Matrix, k: number, { tau, tail }: Reflection, from: number): void {
  for (let c = from; c < (a[k]?.length ?? 0); c++) {
    let sum = a[k][c]
    for (let i = 0; i < tail.length; i++) sum += tail[i] * a[k + 1 + i][c]
    a[k][c] -= tau * sum
    for (let i = 0; i < tail.length; i++) a[k + 1 + i][c] -= tau * sum * tail[i]
  }
}

const qr: Op = {
  outputs: ['q', 'r'],
  evaluate(call) {
    const x = wide(matricesOf(call, 0, false))
    const [rows, columns] = x.shape.slice(-2)
    const width = call.attrs.boolean('full_matrices', false) ? rows : Math.min(rows, columns)
    const upper: Matrix[] = []
    const q = stacked(x, [rows, width], (i) => {
      const a = matrixAt(x, i)
      const reflections = triangularised(a, columns, LEAST[x.dtype as keyof typeof LEAST])
      if (reflections === null) throw undetermined(call, 'the columns of a matrix depend on each other')
      upper.push(a.slice(0, width))
      const made = Array.from({ length: rows }, (_, r) =>
        Float64Array.from({ length: width }, (_, c) => (r === c ? 1 : 0)),
      )
      for (let k = reflections.length - 1; k >= 0; k--) reflect(made, k, reflections[k], 0)
      return made
    })
    return [q, stacked(x, [width, columns], (i) => upper[i])]
  },
}

const undetermined = (call: Call, why: string): UnsupportedOpError =>
  new UnsupportedOpError(call.node.op, call.node.name, `${why}: what TensorFlow answers then hangs on its roundings`)

const isFiniteMatrix = (a: Matrix): boolean => a.every((row) => row.every(Number.isFinite))

/** The lengths of the columns once they are turned until each is at right angles to each (Hestenes), the longest first. */
function singularValues(a: Matrix, columns: number): number[] {
  if (!isFiniteMatrix(a)) return new Array(columns).fill(Number.NaN)
  const list = Array.from({ length: columns }, (_, c) => Float64Array.from(a, (row) => row[c]))
  for (let sweep = 0, turned = true; turned && sweep < 60; sweep++) {
    turned = false
    for (let p = 0; p < columns; p++) {
      for (let q = p + 1; q < columns; q++) turned = turn(list[p], list[q]) || turned
    }
  }
  return list.map((column) => Math.hypot(...column)).sort((x, y) => y - x)
}

/** Turns two columns in their plane until they are at right angles; false where they are. */
function turn(x: Float64Array, y: Float64Array): boolean {
  let [xx, yy, xy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    xx += x[i] * x[i]
    yy += y[i] * y[i]
    xy += x[i] * y[i]
  }
  if (!(Math.abs(xy) > 1e-16 * Math.sqrt(xx * yy))) return false
  const zeta = (yy - xx) / (2 * xy)
  const tan = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
  const cos = 1 / Math.sqrt(1 + tan * tan)
  for (let i = 0; i < x.length; i++) {
    const kept = x[i]
    x[i] = cos * (kept - tan * y[i])
    y[i] = cos * (tan * kept + y[i])
  }
  return true
}

/** TensorFlow leaves a scalar that it has not written where vectors are not asked for. */
const unset = ({ dtype }: NumericTensor): Tensor => filled(dtype, [], () => {})

const svd: Op = {
  outputs: ['s', 'u', 'v'],
  evaluate(call) {
    const x = wide(matricesOf(call, 0, false))
    checkOptions(call.node)
    const [rows, columns] = x.shape.slice(-2)
    const count = Math.min(rows, columns)
    const values = stacked(x, [count], (i) => [singularValues(matrixAt(x, i, columns > rows), count)])
    return [values, unset(x), unset(x)]
  },
}

/** The eigenvalues of the matrix that is symmetric by its lower triangle, by Jacobi's rotations, the least first. */
function eigenvalues(a: Matrix): number[] {
  const size = a.length
  if (!isFiniteMatrix(a))
    throw new InvalidArgumentError('Self-adjoint eigen decomposition was not successful: the input has NaN or ∞')
  for (let r = 0; r < size; r++) for (let c = r + 1; c < size; c++) a[r][c] = a[c][r]
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    for (let r = 0; r < size; r++) for (let c = 0; c < r; c++) off += a[r][c] ** 2
    if (off === 0) break
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) if (a[p][q] !== 0) rotate(a, p, q)
  }
  return a.map((row, r) => row[r]).sort((x, y) => x - y)
}

function rotate(a: Matrix, p: number, q: number): void {
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
  const tan = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(1 + theta * theta))
  const cos = 1 / Math.sqrt(1 + tan * tan)
  const [first, second] = [a[p][p] - tan * a[p][q], a[q][q] + tan * a[p][q]]
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[k][p], a[k][q]]
    a[k][p] = a[p][k] = cos * (x - tan * y)
    a[k][q] = a[q][k] = cos * (tan * x + y)
  }
  a[p][p] = first
  a[q][q] = second
  a[p][q] = a[q][p] = 0
}

const eigen: Op = {
  outputs: ['e', 'v'],
  evaluate(call) {
    const x = wide(matricesOf(call, 0, true))
    checkOptions(call.node)
    const size = x.shape[x.shape.length - 1]
    return [stacked(x, [size], (i) => [eigenvalues(matrixAt(x, i))]), unset(x)]
  },
}

export const ops: Readonly<Record<string, Op>> = { Lu: lu, Qr: qr, Svd: svd, SelfAdjointEigV2: eigen }
