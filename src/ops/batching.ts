import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Call, Op } from '../graph/index.ts'
import { describe, type Tensor } from '../tensor/index.ts'
import { takeRows } from './layout.ts'
import { concatenate } from './slices.ts'
import { blank } from './tensorlist.ts'

// Calls that TensorFlow batches: core/kernels/batch_kernels.cc and core/kernels/batching_util/batch_resource_base.cc. A call
// is a batch of its own here: what others that wait at the same moment would add to it, no answer may hang on.

/** The sizes that a batch is padded up to; none where it stays as it is. */
function allowedSizes(attrs: Attrs): readonly number[] {
  const sizes = attrs.numbers('allowed_batch_sizes', [])
  if (sizes.some((size, i) => i > 0 && size <= sizes[i - 1])) {
    throw new InvalidArgumentError(`allowed_batch_sizes entries must be monotonically increasing, got [${sizes}]`)
  }
  const largest = attrs.number('max_batch_size')
  if (sizes.length > 0 && !attrs.boolean('enable_large_batch_splitting', false) && sizes.at(-1) !== largest) {
    throw new InvalidArgumentError(
      `final entry in allowed_batch_sizes must equal max_batch_size when enable_large_batch_splitting is False, got [${sizes}] and ${largest}`,
    )
  }
  return sizes
}

/** The rows of all `tensors`, which must have as many of them. */
function rowsOf(tensors: readonly Tensor[]): number {
  for (const t of tensors) {
    if (t.shape.length === 0) {
      throw new InvalidArgumentError(`Batching input tensors must have at least one dimension, got ${describe(t)}`)
    }
    if (t.shape[0] !== tensors[0].shape[0]) {
      throw new InvalidArgumentError(
        `Batching input tensors must have equal 0th-dimension size, got ${tensors.map(describe).join(', ')}`,
      )
    }
  }
  return tensors[0].shape[0]
}

/** The rows `start … end` of `batch` go through the function, the first of them again and again up to an allowed size. */
function piece(call: Call, batch: readonly Tensor[], start: number, end: number, sizes: readonly number[]): Tensor[] {
  const rows = end - start
  const padded = sizes.find((size) => size >= rows) ?? rows
  const order = Int32Array.from({ length: padded }, (_, i) => (i < rows ? start + i : start))
  const given = batch.map((t) => (padded === t.shape[0] ? t : takeRows(t, order)))
  const outputs = call.run(call.attrs.graph('f'), [...given, ...call.inputs.slice(batch.length)])
  return outputs.map((output, i) => {
    if (output.shape.length === 0 || output.shape[0] !== padded) {
      throw new InvalidArgumentError(
        `Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors: output ${i} is ${describe(output)}, the batch has ${padded} rows`,
      )
    }
    return padded === rows
      ? output
      : takeRows(
          output,
          order.subarray(0, rows).map((row) => row - start),
        )
  })
}

/**
 * Calls `f` on the rows of the in_tensors and on the captured_tensors as they are. A batch larger than the largest allowed
 * size is cut into pieces of it; of no rows, each output is an empty vector, whatever its rank. What a function that looks
 * across rows answers hangs on the rows that the batch was padded by: copies of its first.
 */
const batchFunction: Op = {
  outputs: (attrs) => [['out_tensors', attrs.dtypes('Tout').length]],
  evaluate(call) {
    const { attrs } = call
    const batch = call.inputs.slice(0, attrs.dtypes('Tin').length)
    const sizes = allowedSizes(attrs)
    const rows = rowsOf(batch)
    if (rows === 0) return attrs.dtypes('Tout').map((dtype) => blank(dtype, [0]))
    const limit = attrs.number('max_batch_size')
    if (rows > limit)
      throw new InvalidArgumentError(`Task size ${rows} is larger than maximum input batch size ${limit}`)
    const most = sizes.at(-1) ?? limit
    const pieces: Tensor[][] = []
    for (let start = 0; start < rows; start += most) {
      pieces.push(piece(call, batch, start, Math.min(start + most, rows), sizes))
    }
    return pieces.length === 1
      ? pieces[0]
      : pieces[0].map((_, i) =>
          concatenate(
            pieces.map((outputs) => outputs[i]),
            0,
          ),
        )
  },
}

export const ops: Readonly<Record<string, Op>> = {
  BatchFunction: batchFunction,
}
