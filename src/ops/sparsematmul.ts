import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import type { NumberArray } from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'

/**
 * The product of two matrices of which one is said to hold many zeros, after core/kernels/sparse_matmul_op.cc: what such a zero
 * is multiplied with is not looked at, be it infinite. Sums are kept in double precision.
 */
const sparseMatMul: Op = {
  evaluate(call) {
    const [a, b] = [sideOf(numeric(call, 0)), sideOf(numeric(call, 1))]
    const flag = (name: string) => call.attrs.boolean(name, false)
    const [rows, inner, stepRow, stepInner] = oriented(a, flag('transpose_a'))
    const [innerB, columns, stepInnerB, stepColumn] = oriented(b, flag('transpose_b'))
    if (inner !== innerB) throw new InvalidArgumentError(`Matrix size incompatible: a: [${a.shape}], b: [${b.shape}]`)
    const [sparseA, sparseB] = [flag('a_is_sparse'), flag('b_is_sparse')]
    const [x, y] = [a.data as NumberArray, b.data as NumberArray]
    const [skipsA, skipsB] = [sparseA, sparseB && !sparseA]
    return filled('float32', [rows, columns], (out) => {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          let sum = 0
          for (let k = 0; k < inner; k++) {
            const [left, right] = [x[r * stepRow + k * stepInner], y[k * stepInnerB + c * stepColumn]]
            if (!(skipsA && left === 0) && !(skipsB && right === 0)) sum += left * right
          }
          out[r * columns + c] = sum
        }
      }
    })
  },
}

function sideOf(x: NumericTensor): NumericTensor {
  if (x.dtype !== 'float32' && x.dtype !== 'bfloat16') throw new TypeError(`${x.dtype} is not a type of this op`)
  if (x.shape.length !== 2) throw new InvalidArgumentError(`a and b must be matrices, got [${x.shape}]`)
  return x
}

/** Height and width, and the steps from row to row and from column to column. */
const oriented = (
  { shape: [rows, columns] }: NumericTensor,
  turned: boolean,
): readonly [number, number, number, number] => (turned ? [columns, rows, 1, columns] : [rows, columns, columns, 1])

export const ops: Readonly<Record<string, Op>> = { SparseMatMul: sparseMatMul }
