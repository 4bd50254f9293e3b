import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { isBig } from '../../tensor/index.ts'
import { filled, numeric } from '../elementwise.ts'
import { integer, integersOf } from '../integers.ts'
import { checkedSize } from '../layout.ts'
import { requireInside, sparseOf } from './coo.ts'

/**
 * After SparseBincountOp in core/kernels/bincount_op.cc: how often each value below `size` occurs, or the sum of its
 * weights; in a row for each first coordinate where there are several dimensions. Larger values are ignored. Negative
 * ones, which TensorFlow 2.15 counts in a neighbouring row, are refused, as are too few weights.
 */
export const sparseBincount: Op = {
  evaluate(call) {
    const [indices, values, shape] = call.inputs
    const sparse = sparseOf(indices, values, shape)
    const weights = numeric(call, 4)
    const size = integer(call, 3, 'size')
    if (size < 0) throw new InvalidArgumentError(`size (${size}) must be non-negative`)
    requireInside(sparse)
    const { rank, count } = sparse
    if (weights.data.length > 0 && weights.data.length !== count) {
      throw new InvalidArgumentError(`weights have ${weights.data.length} elements for ${count} values`)
    }
    const bins = integersOf(values, 'values')
    if (bins.some((bin) => bin < 0)) throw new InvalidArgumentError('Input arr must be non-negative!')
    const dims = rank === 1 ? [size] : [sparse.shape[0], size]
    checkedSize(dims, 'output shape')
    const binary = call.attrs.boolean('binary_output', false)
    const one = isBig(weights.dtype) ? 1n : 1
    return filled(weights.dtype, dims, (out) => {
      for (let i = 0; i < count; i++) {
        if (bins[i] >= size) continue
        const bin = (rank === 1 ? 0 : sparse.indices[i * rank] * size) + bins[i]
        const weight = weights.data.length > 0 ? weights.data[i] : one
        if (binary) out[bin] = one
        else out[bin] = typeof weight === 'bigint' ? BigInt(out[bin]) + weight : Number(out[bin]) + weight
      }
    })
  },
}
