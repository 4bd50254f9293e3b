import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { type TensorOf, tensor } from '../tensor/index.ts'
import { numeric } from './elementwise.ts'
import { integer, integerTensor } from './integers.ts'

// Which bucket a value falls into, after core/kernels/{bucketize_op,searchsorted_op}.cc and
// core/kernels/boosted_trees/quantile_ops.cc.

/** How many of the ascending `bounds` lie below `value`, or with `upper` are not above it. NaN lies past them all or, by a lower bound, before. */
function boundary(
  bounds: ArrayLike<number | bigint>,
  start: number,
  count: number,
  value: number | bigint,
  upper: boolean,
): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    const bound = bounds[start + middle]
    if (upper ? !(value < bound) : bound < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Which of the buckets between `boundaries` each value falls into; a value on a boundary belongs above it. */
const bucketize: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const bounds = Float32Array.from(call.attrs.numbers('boundaries'))
    if (bounds.some((bound, i) => i > 0 && bound < bounds[i - 1])) {
      throw new InvalidArgumentError('Expected sorted boundaries')
    }
    // Every type is compared as float32 but float64, which float32 becomes.
    const compared = x.dtype === 'float64' ? Number : (value: number | bigint) => Math.fround(Number(value))
    return integerTensor(
      'int32',
      x.shape,
      Array.from(x.data as ArrayLike<number | bigint>, (value) =>
        boundary(bounds, 0, bounds.length, compared(value), true),
      ),
    )
  },
}

/**
 * Buckets of many features, each by boundaries of its own; TensorFlow Transform's apply_buckets, whose op TensorFlow has
 * since dropped the kernel of. A value on a boundary belongs below it, one past the last into the last bucket, NaN into the
 * first. The rows of a feature are its first dimension, whatever other dimensions it has.
 */
const bucketizeEach: Op = {
  outputs: (attrs) => [['buckets', attrs.number('num_features')]],
  evaluate(call) {
    const count = call.inputs.length / 2
    return call.inputs.slice(0, count).map((_, i) => {
      const [values, bounds] = [float32(call, i), float32(call, count + i)]
      if (bounds.shape.length !== 1) throw new InvalidArgumentError('Buckets should be flat vectors.')
      if (values.shape.length === 0) throw new InvalidArgumentError('float_values must be vectors, got a scalar')
      const last = Math.max(0, bounds.data.length - 1)
      const buckets = Int32Array.from(values.data.subarray(0, values.shape[0]), (value) =>
        Math.min(boundary(bounds.data, 0, bounds.data.length, value, false), last),
      )
      return tensor('int32', [buckets.length], buckets)
    })
  },
}

function float32(call: Call, i: number): TensorOf<'float32'> {
  const input = call.inputs[i]
  if (input?.dtype !== 'float32') throw new TypeError(`input ${i} must be float32, got ${input?.dtype ?? 'nothing'}`)
  return input
}

/** For each row of values where they would go in the same row of sorted inputs. */
const search = (upper: boolean): Op => ({
  evaluate(call) {
    const [sorted, values] = [numeric(call, 0), numeric(call, 1)]
    if (sorted.shape.length !== 2) throw new InvalidArgumentError('sorted input argument must be a matrix')
    if (values.shape.length !== 2) throw new InvalidArgumentError('values must be a matrix')
    const [rows, count] = sorted.shape
    if (rows !== values.shape[0]) throw new InvalidArgumentError('Leading dim_size of both tensors must match.')
    const width = values.shape[1]
    return integerTensor(
      call.attrs.dtype('out_type', 'int32'),
      values.shape,
      Array.from(values.data as ArrayLike<number | bigint>, (value, i) =>
        boundary(sorted.data as ArrayLike<number | bigint>, Math.floor(i / width) * count, count, value, upper),
      ),
    )
  },
})

/**
 * How many values fall into each of so many buckets of one width between two limits; what lies outside is in the outermost
 * (kernels/histogram_op.cc).
 */
const histogram: Op = {
  evaluate(call) {
    const [values, range] = [numeric(call, 0), numeric(call, 1)]
    if (range.shape.length !== 1 || range.shape[0] !== 2)
      throw new InvalidArgumentError(`value_range should be a vector of 2 elements, but got shape [${range.shape}]`)
    const count = integer(call, 2, 'nbins')
    if (count <= 0) throw new InvalidArgumentError(`nbins should be a positive number, but got '${count}'`)
    const [low, high] = [Number(range.data[0]), Number(range.data[1])]
    if (!(low < high))
      throw new InvalidArgumentError(
        `value_range should satisfy value_range[0] < value_range[1], but got [${low}, ${high}]`,
      )
    const step = range.dtype === 'float32' ? Math.fround(high - low) / count : (high - low) / count
    const counts = new Float64Array(count)
    for (const value of values.data) {
      const above = Math.max(Number(value), low) - low
      const at = Math.min((values.dtype === 'float32' ? Math.fround(above) : above) / step, count - 1)
      if (Number.isNaN(at)) throw new InvalidArgumentError('NaN is in no bucket')
      counts[Math.trunc(at)]++
    }
    return integerTensor(call.attrs.dtype('dtype', 'int32'), [count], counts)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Bucketize: bucketize,
  BoostedTreesBucketize: bucketizeEach,
  HistogramFixedWidth: histogram,
  LowerBound: search(false),
  UpperBound: search(true),
}
