import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { type Shape, sizeOf, type Tensor } from '../tensor/index.ts'
import { position } from './gather.ts'
import { integersOf } from './integers.ts'
import { Assembly } from './layout.ts'

// Slices by the indices of several dimensions, after core/kernels/gather_nd_op.cc.

/**
 * For each row of `indices`, which names the first dimensions of `shape`, where its slice starts.
 * @throws {InvalidArgumentError} naming the first row that lies outside
 */
export function sliceStarts(indices: Tensor, width: number, shape: Shape, what: string): number[] {
  const all = integersOf(indices, 'indices')
  const count = width === 0 ? sizeOf(indices.shape.slice(0, -1)) : all.length / width
  const inner = sizeOf(shape.slice(width))
  return Array.from({ length: count }, (_, row) => {
    let slice = 0
    for (let d = 0; d < width; d++) {
      const index = all[row * width + d]
      if (!(index >= 0 && index < shape[d])) {
        const at = position(indices.shape.slice(0, -1), row)
        const found = all.slice(row * width, (row + 1) * width).join(', ')
        throw new InvalidArgumentError(`indices${at} = [${found}] does not index into ${what} [${shape}]`)
      }
      slice = slice * shape[d] + index
    }
    return slice * inner
  })
}

const gatherNd: Op = {
  evaluate({ inputs: [params, indices] }) {
    if (params.shape.length === 0) throw new InvalidArgumentError('params must be at least a vector')
    if (indices.shape.length === 0) throw new InvalidArgumentError('indices must be at least a vector')
    const width = indices.shape[indices.shape.length - 1]
    if (width > params.shape.length) {
      throw new InvalidArgumentError(
        `index innermost dimension length must be <= params rank; saw: ${width} vs. ${params.shape.length}`,
      )
    }
    const starts = sliceStarts(indices, width, params.shape, 'param shape')
    if (starts.length > 0 && sizeOf(params.shape) === 0) {
      throw new InvalidArgumentError(
        `Requested more than 0 entries, but params is empty. Params shape: [${params.shape}]`,
      )
    }
    const inner = sizeOf(params.shape.slice(width))
    const gathered = new Assembly(params.dtype, [...indices.shape.slice(0, -1), ...params.shape.slice(width)])
    for (const start of starts) gathered.append(params, start, inner)
    return gathered.finish()
  },
}

export const ops: Readonly<Record<string, Op>> = {
  GatherNd: gatherNd,
}
