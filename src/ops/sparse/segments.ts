import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { isFloat, type NumberArray, sizeOf, type TypedArray } from '../../tensor/index.ts'
import { filled, numeric } from '../elementwise.ts'
import { integer, integersOf } from '../integers.ts'
import { checkedSize } from '../layout.ts'

/**
 * SparseSegmentSum, -Mean and -SqrtN after core/kernels/segment_reduction_ops_impl.h: rows `indices` of data, combined
 * by the ascending segment_ids. Segments without a row are zeros. `weight` is what a segment of n rows is multiplied by.
 */
export const sparseSegment = (weight: (n: number) => number, counted: boolean): Op => ({
  evaluate(call) {
    const data = numeric(call, 0)
    const [, indicesTensor, segmentsTensor] = call.inputs
    const indices = integersOf(indicesTensor, 'indices')
    const segments = integersOf(segmentsTensor, 'segment_ids')
    if (indicesTensor.shape.length !== 1) throw new InvalidArgumentError('indices should be a vector.')
    if (segmentsTensor.shape.length !== 1) throw new InvalidArgumentError('segment_ids should be a vector.')
    if (indices.length !== segments.length) {
      throw new InvalidArgumentError('segment_ids and indices should have same size.')
    }
    if (data.shape.length === 0) throw new InvalidArgumentError('Shape must be at least rank 1')
    const rows = counted ? integer(call, 3, 'num_segments') : (segments[segments.length - 1] ?? -1) + 1
    if (rows < 0) throw new InvalidArgumentError('segment ids must be >= 0')
    checkSegments(segments, rows)
    const [height, ...inner] = data.shape
    const width = sizeOf(inner)
    indices.forEach((index, i) => {
      if (!(index >= 0 && index < height)) {
        throw new InvalidArgumentError(`Bad: indices[${i}] == ${index} out of range [0, ${height})`)
      }
    })
    const shape = [rows, ...inner]
    checkedSize(shape, 'output shape')
    return filled(data.dtype, shape, (out) => {
      if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
        sumBig(data.data as BigInt64Array, indices, segments, width, out)
        return
      }
      combine(data.data as NumberArray, indices, segments, width, out, isFloat(data.dtype) ? weight : one)
    })
  },
})

const one = (): number => 1

function checkSegments(segments: readonly number[], rows: number): void {
  segments.forEach((segment, i) => {
    if (i > 0 && segment < segments[i - 1]) throw new InvalidArgumentError('segment ids are not increasing')
    if (!(segment >= 0 && segment < rows)) {
      throw new InvalidArgumentError(`Segment id ${segment} out of range [0, ${rows})`)
    }
  })
}

/** Sums in double precision and rounds once a segment. */
function combine(
  from: NumberArray,
  indices: readonly number[],
  segments: readonly number[],
  width: number,
  out: NumberArray,
  weight: (n: number) => number,
): void {
  const sum = new Float64Array(width)
  for (let start = 0, end = 0; start < segments.length; start = end) {
    sum.fill(0)
    for (end = start; end < segments.length && segments[end] === segments[start]; end++) {
      const row = indices[end] * width
      for (let j = 0; j < width; j++) sum[j] += from[row + j]
    }
    const scale = weight(end - start)
    const to = segments[start] * width
    for (let j = 0; j < width; j++) out[to + j] = sum[j] * scale
  }
}

function sumBig(
  from: BigInt64Array,
  indices: readonly number[],
  segments: readonly number[],
  width: number,
  out: Exclude<TypedArray, NumberArray>,
): void {
  for (let i = 0; i < indices.length; i++) {
    for (let j = 0; j < width; j++) out[segments[i] * width + j] += from[indices[i] * width + j]
  }
}
