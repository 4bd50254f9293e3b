import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type Shape, sameShape, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import { integer, integersOf } from './integers.ts'
import { Assembly, take } from './layout.ts'

// Diagonals of the matrices in the two last dimensions, after core/kernels/linalg/{matrix_diag_op,matrix_set_diag_op,
// matrix_band_part_op}.cc and diag_op.cc. Diagonal d holds the elements [i, i + d].

/** Which diagonals of a matrix of `rows` × `columns` are meant, and how shorter ones are aligned in a row of `length`. */
interface Band {
  readonly rows: number
  readonly columns: number
  readonly lower: number
  readonly upper: number
  readonly length: number
  readonly align: string
}

/** Where element [row, column] lies among the diagonals of `band`, or -1 where it is on none of them. */
function placeOf({ rows, columns, lower, upper, length, align }: Band, row: number, column: number): number {
  const d = column - row
  if (d < lower || d > upper) return -1
  const [above, below] = align.split('_')
  const left = (d >= 0 && above === 'LEFT') || (d <= 0 && below === 'LEFT')
  const own = Math.min(rows + Math.min(d, 0), columns - Math.max(d, 0))
  return (upper - d) * length + column - Math.max(d, 0) + (left ? 0 : length - own)
}

/** The k of V2 and V3: one diagonal, or the lowest and the highest of several. Absent before, when it was the main one. */
function diagonalsOf(k: Tensor | undefined): [lower: number, upper: number] {
  if (k === undefined) return [0, 0]
  const given = integersOf(k, 'k')
  if (k.shape.length > 1 || given.length < 1 || given.length > 2) {
    throw new InvalidArgumentError(
      `diag_index must be a scalar or a vector of one or two elements, got shape [${k.shape}]`,
    )
  }
  const [lower, upper = lower] = given
  if (lower > upper) {
    throw new InvalidArgumentError(`lower_diag_index must not be larger than upper_diag_index: ${lower} > ${upper}`)
  }
  return [lower, upper]
}

const alignment = (call: Call, version: number): string =>
  version === 3 ? call.attrs.string('align', 'RIGHT_LEFT') : 'LEFT_LEFT'

/** The diagonals k of a matrix. */
function bandOf(matrix: Shape, k: Tensor | undefined, align: string): Band {
  if (matrix.length < 2) throw new InvalidArgumentError(`input must be at least 2-dim, received shape: [${matrix}]`)
  const [rows, columns] = matrix.slice(-2)
  const [lower, upper] = diagonalsOf(k)
  for (const [name, d] of [
    ['lower', lower],
    ['upper', upper],
  ] as const) {
    if ((d > -rows && d < columns) || d === 0) continue
    throw new InvalidArgumentError(
      `${name}_diag_index is out of bound: ${d}. It must be between ${-rows} and ${columns}`,
    )
  }
  const length = Math.min(rows + Math.min(upper, 0), columns - Math.max(lower, 0))
  return { rows, columns, lower, upper, length, align }
}

/** For each element of a matrix its place among the diagonals of `band`, or -1. */
function places(band: Band): Int32Array {
  const found = zeros('int32', band.rows * band.columns)
  for (let i = 0; i < found.length; i++) {
    found[i] = placeOf(band, Math.floor(i / band.columns), i % band.columns)
  }
  return found
}

/** The dimensions of the diagonals of one matrix: one of them alone has no dimension of its own. */
const diagonalShape = ({ lower, upper, length }: Band): number[] =>
  lower === upper ? [length] : [upper - lower + 1, length]

/** The matrices with the given diagonals, the padding elsewhere. */
const matrixDiag = (version: number): Op => ({
  evaluate(call) {
    const [diagonal, k, sized, , padding] = call.inputs
    const rank = diagonal.shape.length
    if (rank < 1) throw new InvalidArgumentError(`diagonal must be at least 1-dim, received shape: [${diagonal.shape}]`)
    const [lower, upper] = diagonalsOf(k)
    const single = lower === upper
    if (!single && (rank < 2 || diagonal.shape[rank - 2] !== upper - lower + 1)) {
      throw new InvalidArgumentError(
        `The number of diagonals provided in the input does not match the lower_diag_index and upper_diag_index range.`,
      )
    }
    const length = diagonal.shape[rank - 1]
    const wanted = sized === undefined ? [-1, -1] : [integer(call, 2, 'num_rows'), integer(call, 3, 'num_cols')]
    const [rows, columns] = matrixSize(wanted, length - Math.min(upper, 0), length + Math.max(lower, 0))
    const outer = diagonal.shape.slice(0, single ? -1 : -2)
    const band = { rows, columns, lower, upper, length, align: alignment(call, version) }
    return batched(outer, places(band), [rows, columns], (upper - lower + 1) * length, diagonal, padding)
  },
})

/** The matrix's size where -1 asks for the smallest that holds the diagonals. */
function matrixSize([rows, columns]: readonly number[], leastRows: number, leastColumns: number): [number, number] {
  if (rows === -1 && columns === -1) {
    const size = Math.max(leastRows, leastColumns)
    return [size, size]
  }
  if ((rows !== -1 && rows < leastRows) || (columns !== -1 && columns < leastColumns)) {
    throw new InvalidArgumentError('The number of rows or columns is too small.')
  }
  const size: [number, number] = [rows === -1 ? leastRows : rows, columns === -1 ? leastColumns : columns]
  if (size[0] !== leastRows && size[1] !== leastColumns) {
    throw new InvalidArgumentError(
      'The number of rows or columns is not consistent with the specified d_lower, d_upper, and diagonal.',
    )
  }
  return size
}

/** `indices` into each of the parts of `x` that are `step` long, -1 standing for `fill`; each result has shape `inner`. */
function batched(
  outer: Shape,
  indices: Int32Array,
  inner: Shape,
  step: number,
  x: Tensor,
  fill: Tensor | undefined,
): Tensor {
  if (fill !== undefined && sizeOf(fill.shape) !== 1) {
    throw new InvalidArgumentError(`padding_value must have one element, got shape [${fill.shape}]`)
  }
  const sources = zeros('int32', sizeOf(outer) * indices.length)
  for (let i = 0; i < sources.length; i++) {
    const index = indices[i % indices.length]
    sources[i] = index < 0 ? -1 : Math.floor(i / indices.length) * step + index
  }
  return take(x, sources, [...outer, ...inner], fill)
}

/** The diagonals k of each matrix, the padding where one of several is shorter than the longest. */
const matrixDiagPart = (version: number): Op => ({
  evaluate(call) {
    const [x, k, padding] = call.inputs
    const band = bandOf(x.shape, k, alignment(call, version))
    const shape = diagonalShape(band)
    const indices = zeros('int32', sizeOf(shape)).fill(-1)
    places(band).forEach((place, i) => {
      if (place >= 0) indices[place] = i
    })
    return batched(x.shape.slice(0, -2), indices, shape, band.rows * band.columns, x, padding)
  },
})

/** Each matrix with the diagonals k replaced. */
const matrixSetDiag = (version: number): Op => ({
  evaluate(call) {
    const [x, diagonal, k] = call.inputs
    const band = bandOf(x.shape, k, alignment(call, version))
    const [outer, inner] = [x.shape.slice(0, -2), diagonalShape(band)]
    if (!sameShape(diagonal.shape, [...outer, ...inner])) {
      throw new InvalidArgumentError(
        `Input shape [${x.shape}] needs diagonals of shape [${[...outer, ...inner]}], received [${diagonal.shape}]`,
      )
    }
    const size = sizeOf(x.shape)
    const both = new Assembly(x.dtype, [size + sizeOf(diagonal.shape)])
    both.append(x, 0, size)
    both.append(diagonal, 0, sizeOf(diagonal.shape))
    const found = places(band)
    const sources = zeros('int32', size)
    for (let i = 0; i < size; i++) {
      const place = found[i % found.length]
      sources[i] = place < 0 ? i : size + Math.floor(i / found.length) * sizeOf(inner) + place
    }
    return take(both.finish(), sources, x.shape)
  },
})

/** Each matrix with zeros below `num_lower` and above `num_upper` diagonals beside the main one; negative keeps them all. */
const bandPart: Op = {
  evaluate(call) {
    const [x] = call.inputs
    if (x.shape.length < 2) throw new InvalidArgumentError(`input must be at least 2-dim, received shape: [${x.shape}]`)
    const [rows, columns] = x.shape.slice(-2)
    const [lower, upper] = [integer(call, 1, 'num_lower'), integer(call, 2, 'num_upper')]
    if (lower > rows) {
      throw new InvalidArgumentError(
        `num_lower must be negative or less or equal to number of rows (${rows}) got: ${lower}`,
      )
    }
    if (upper > columns) {
      throw new InvalidArgumentError(
        `num_upper must be negative or less or equal to number of columns (${columns}) got: ${upper}`,
      )
    }
    const kept = zeros('int32', rows * columns)
    for (let i = 0; i < kept.length; i++) {
      const d = (i % columns) - Math.floor(i / columns)
      kept[i] = (lower < 0 || -d <= lower) && (upper < 0 || d <= upper) ? i : -1
    }
    return batched(x.shape.slice(0, -2), kept, [rows, columns], rows * columns, x, undefined)
  },
}

/** A tensor of twice the rank with `x` on its diagonal. */
const diag: Op = {
  evaluate({ inputs: [x] }) {
    if (x.shape.length < 1) throw new InvalidArgumentError('Input must be at least rank 1, got 0')
    const size = sizeOf(x.shape)
    const sources = zeros('int32', size * size).fill(-1)
    for (let i = 0; i < size; i++) sources[i * (size + 1)] = i
    return take(x, sources, [...x.shape, ...x.shape])
  },
}

/** The inverse of Diag. */
const diagPart: Op = {
  evaluate({ inputs: [x] }) {
    const half = x.shape.slice(0, x.shape.length / 2)
    if (x.shape.length === 0 || !sameShape([...half, ...half], x.shape)) {
      throw new InvalidArgumentError(
        `The rank of the tensor should be even and positive, its halves equal, got shape [${x.shape}]`,
      )
    }
    const size = sizeOf(half)
    return take(
      x,
      Int32Array.from({ length: size }, (_, i) => i * (size + 1)),
      half,
    )
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Diag: diag,
  DiagPart: diagPart,
  MatrixBandPart: bandPart,
  MatrixDiag: matrixDiag(1),
  MatrixDiagV2: matrixDiag(2),
  MatrixDiagV3: matrixDiag(3),
  MatrixDiagPart: matrixDiagPart(1),
  MatrixDiagPartV2: matrixDiagPart(2),
  MatrixDiagPartV3: matrixDiagPart(3),
  MatrixSetDiag: matrixSetDiag(1),
  MatrixSetDiagV2: matrixSetDiag(2),
  MatrixSetDiagV3: matrixSetDiag(3),
}
