import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { isBig, sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { integer, integersOf } from './integers.ts'

// Counting into bins, after core/kernels/bincount_op.cc.

/**
 * How many values (or, where there are weights, the sum of theirs) fall on each number below `size`. Larger values count
 * nowhere. A matrix is counted row by row.
 */
function counted(call: Call, dense: boolean): Tensor {
  const [values] = call.inputs
  const size = integer(call, 1, 'size')
  const weights = numeric(call, 2)
  const rank = values.shape.length
  if (dense && rank !== 1 && rank !== 2) throw new InvalidArgumentError(`Shape must be rank 1 or 2 but is rank ${rank}`)
  if (size < 0) throw new InvalidArgumentError(`size (${size}) must be non-negative`)
  const weighted = sizeOf(weights.shape) > 0
  if (weighted && !sameShape(weights.shape, values.shape)) {
    throw new InvalidArgumentError(
      `\`weights\` must be the same shape as \`arr\` or a length-0 \`Tensor\`, in which case it acts as all weights equal to 1. Received [${weights.shape}]`,
    )
  }
  const positions = integersOf(values, 'the values')
  if (positions.some((value) => value < 0)) throw new InvalidArgumentError('Input arr must be non-negative!')
  const binary = call.attrs.boolean('binary_output', false)
  const width = dense && rank === 2 ? values.shape[1] : positions.length
  const one = isBig(weights.dtype) ? 1n : 1
  return filled(weights.dtype, dense && rank === 2 ? [values.shape[0], size] : [size], (out) => {
    positions.forEach((value, i) => {
      if (value >= size) return
      const bin = Math.floor(i / width) * size + value
      if (binary) out[bin] = one
      else out[bin] = ((out[bin] as number) + ((weighted ? weights.data[i] : one) as number)) as number
    })
  })
}

export const ops: Readonly<Record<string, Op>> = {
  Bincount: { evaluate: (call) => counted(call, false) },
  DenseBincount: { evaluate: (call) => counted(call, true) },
}
