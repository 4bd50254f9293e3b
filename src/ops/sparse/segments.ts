import { InvalidArgumentError } from '../../errors.ts'
import type { Op } from '../../graph/index.ts'
import { isFloat, isHalf, type NumberArray, sizeOf, type TypedArray } from '../../tensor/index.ts'
import { filled, numeric } from '../elementwise.ts'
import { integer, integersOf } from '../integers.ts'
import { checkedSize } from '../layout.ts'

/**
 * SparseSegmentSum, -Mean and -SqrtN after core/kernels/segment_reduction_ops_impl.h: rows `indices` of data, combined
 * by the ascending segment_ids. Segments without a row are zeros. `divisor` is what the sum of n rows is divided by.
 */
export const sparseSegment = (divisor: (n: number) => number, counted: boolean): Op => ({
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
      const add = isHalf(data.dtype) ? combineHalves : combine
      add(data.data as NumberArray, indices, segments, width, out, isFloat(data.dtype) ? divisor : one)
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
  divisor: (n: number) => number,
): void {
  const sum = new Float64Array(width)
  for (let start = 0, end = 0; start < segments.length; start = end) {
    sum.fill(0)
    for (end = start; end < segments.length && segments[end] === segments[start]; end++) {
      const row = indices[end] * width
      for (let j = 0; j < width; j++) sum[j] += from[row + j]
    }
    const by = divisor(end - start)
    const to = segments[start] * width
    for (let j = 0; j < width; j++) out[to + j] = sum[j] / by
  }
}

/** Rows that TensorFlow adds up before it adds them to the sum so far. */
const BLOCK = 8
/** Sums of fewer rows are multiplied by the reciprocal, others divided. */
const MANY = 10

/** Half floats are added up in float32, the first block being what is left over of whole ones, and rounded once. */
function combineHalves(
  from: NumberArray,
  indices: readonly number[],
  segments: readonly number[],
  width: number,
  out: NumberArray,
  divisor: (n: number) => number,
): void {
  const [sum, block] = [new Float32Array(width), new Float32Array(width)]
  for (let start = 0, end = 0; start < segments.length; start = end) {
    while (end < segments.length && segments[end] === segments[start]) end++
    const rest = (end - start) % BLOCK
    // One row over is taken with the block after it.
    const first = start + (rest > 1 ? rest : rest + BLOCK)
    sum.fill(0)
    for (let next = start, stop = first; next < end; stop = next + BLOCK) {
      block.fill(0)
      for (; next < Math.min(stop, end); next++) {
        const row = indices[next] * width
        for (let j = 0; j < width; j++) block[j] += from[row + j]
      }
      for (let j = 0; j < width; j++) sum[j] += block[j]
    }
    const by = Math.fround(divisor(end - start))
    const scale = Math.fround(1 / by)
    const to = segments[start] * width
    for (let j = 0; j < width; j++)
      out[to + j] = end - start < MANY ? Math.fround(sum[j] * scale) : Math.fround(sum[j] / by)
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
