import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { isFloat, type NumberArray, sizeOf, zeros } from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'
import { halfRounding } from './halfsums.ts'
import { integerVector } from './integers.ts'
import { stepsOf } from './layout.ts'
import { checkOptions } from './options.ts'
import { lowest } from './segment.ts'
import { type Windows, windowsAlong } from './windows.ts'

// Convolutions and pooling over volumes [batch, planes, rows, columns, channels], after
// core/kernels/{conv_ops_3d,conv_grad_input_ops_3d,pooling_ops_3d}.cc. Floats of convolutions are summed in double and rounded once.

/** Lanes of Eigen's packet of float32, as the released builds for x86 have it. */
const LANES = 8

const ONES = [1, 1, 1, 1, 1]

/** The windows along the planes, the rows and the columns. */
export type Sliding = readonly [planes: Windows, rows: Windows, columns: Windows]

/** A tensor of five dimensions and a float type. */
function volume(call: Call, i: number, what: string): NumericTensor & { readonly data: NumberArray } {
  const tensor = numeric(call, i)
  if (!isFloat(tensor.dtype)) throw new TypeError(`${what} must be of a float type, got ${tensor.dtype}`)
  if (tensor.shape.length !== 5) throw new InvalidArgumentError(`${what} must be 5-dimensional: [${tensor.shape}]`)
  return tensor as NumericTensor & { readonly data: NumberArray }
}

/** Windows of `size` planes, rows and columns over a volume of `shape`. */
function slidingOver(call: Call, shape: readonly number[], size: readonly number[]): Sliding {
  const strides = call.attrs.numbers('strides')
  const padding = call.attrs.string('padding')
  const [planes, rows, columns] = size.map((length, i) =>
    windowsAlong(shape[i + 1], length, strides[i + 1], 1, padding, []),
  )
  return [planes, rows, columns]
}

/** Channels last and no dilations: TensorFlow's CPU kernels take no others. */
function checkConvolution(call: Call): void {
  checkOptions(call.node)
  const format = call.attrs.string('data_format', 'NDHWC')
  if (format !== 'NDHWC')
    throw new InvalidArgumentError(`${call.node.op} only supports NDHWC on the CPU, got data format ${format}`)
  if (call.attrs.numbers('dilations', ONES).some((dilation) => dilation !== 1))
    throw new InvalidArgumentError(`CPU implementation of ${call.node.op} only supports dilation rates of 1`)
  const strides = call.attrs.numbers('strides')
  if (strides[0] !== 1 || strides[4] !== 1) {
    throw new InvalidArgumentError(
      `Current implementation does not yet support strides in the batch and depth dimensions: [${strides}]`,
    )
  }
}

/**
 * The windows of a Conv3D with a filter of shape [planes, rows, columns, input channels, output channels].
 * @throws {InvalidArgumentError} where TensorFlow refuses the attributes or the shapes
 */
export function windowsOfConv3D(call: Call): Sliding {
  const { shape } = volume(call, 0, 'input')
  const filter = volume(call, 1, 'filter')
  checkConvolution(call)
  if (sizeOf(filter.shape) === 0)
    throw new InvalidArgumentError('filter must not have zero elements (i.e. all dimensions must be non-zero)')
  if (shape[4] !== filter.shape[3]) {
    throw new InvalidArgumentError(
      `Number of channels in filter (${filter.shape[3]}) must match last dimension of input (${shape[4]})`,
    )
  }
  return slidingOver(call, shape, filter.shape.slice(0, 3))
}

/** Calls `each` with every window's batch and place, and where its answer lies among the windows. */
function forEachWindow(
  batch: number,
  [planes, rows, columns]: Sliding,
  each: (b: number, plane: number, row: number, column: number, at: number) => void,
): void {
  let at = 0
  for (let b = 0; b < batch; b++)
    for (let p = 0; p < planes.count; p++)
      for (let r = 0; r < rows.count; r++) for (let c = 0; c < columns.count; c++) each(b, p, r, c, at++)
}

/** Calls `each` with every place of a window and the element of a volume of `shape` that it covers; null where that is padding. */
function forEachPlace(
  [planes, rows, columns]: Sliding,
  [plane, row, column]: readonly number[],
  [, depth, height, width]: readonly number[],
  each: (element: number | null, place: number) => void,
): void {
  let place = 0
  for (let p = 0, z = planes.start + plane * planes.stride; p < planes.size; p++, z++) {
    for (let r = 0, y = rows.start + row * rows.stride; r < rows.size; r++, y++) {
      for (let c = 0, x = columns.start + column * columns.stride; c < columns.size; c++, x++, place++) {
        const isCovered = z >= 0 && z < depth && y >= 0 && y < height && x >= 0 && x < width
        each(isCovered ? (z * height + y) * width + x : null, place)
      }
    }
  }
}

const answered = ([batch]: readonly number[], [planes, rows, columns]: Sliding, channels: number): number[] => [
  batch,
  planes.count,
  rows.count,
  columns.count,
  channels,
]

const conv3D: Op = {
  evaluate(call) {
    const sliding = windowsOfConv3D(call)
    const [x, filter] = [volume(call, 0, 'input'), volume(call, 1, 'filter')]
    const [depth, channels] = filter.shape.slice(3)
    const [step] = stepsOf(x.shape)
    const sums = zeros('float64', channels)
    return filled(x.dtype, answered(x.shape, sliding, channels), (out) => {
      forEachWindow(x.shape[0], sliding, (b, plane, row, column, at) => {
        sums.fill(0)
        forEachPlace(sliding, [plane, row, column], x.shape, (element, place) => {
          if (element === null) return
          for (let i = 0, w = place * depth * channels; i < depth; i++) {
            const value = x.data[b * step + element * depth + i]
            for (let o = 0; o < channels; o++) sums[o] += value * filter.data[w++]
          }
        })
        ;(out as NumberArray).set(sums, at * channels)
      })
    })
  },
}

/** Conv3DTranspose: each element lays the filter, weighted, over the window of the result that Conv3D would have made it of. */
const conv3DBackpropInput: Op = {
  evaluate(call) {
    const filter = volume(call, 1, 'filter_sizes tensor')
    const x = volume(call, 2, 'out_backprop tensor')
    checkConvolution(call)
    const shape = integerVector(call, 0, 'input_sizes')
    if (shape.length !== 5) throw new InvalidArgumentError(`input tensor must have 5 dimensions: [${shape}]`)
    const [depth, channels] = filter.shape.slice(3)
    if (shape[4] !== depth) {
      throw new InvalidArgumentError(
        `input and filter_sizes must have the same number of channels. Got ${shape[4]} for input and ${depth} for filter_sizes`,
      )
    }
    if (x.shape[4] !== channels) {
      throw new InvalidArgumentError(
        `out_backprop and filter_sizes must have the same number of channels. Got ${x.shape[4]} for out_backprop and ${channels} for filter_sizes`,
      )
    }
    const sliding = slidingOver(call, shape, filter.shape.slice(0, 3))
    const computed = answered(shape, sliding, channels)
    if (x.shape.some((size, axis) => size !== computed[axis])) {
      throw new InvalidArgumentError(
        `Size of out_backprop doesn't match computed: actual = [${x.shape}], computed = [${computed}]`,
      )
    }
    const [step] = stepsOf(shape)
    const sums = zeros('float64', sizeOf(shape))
    forEachWindow(shape[0], sliding, (b, plane, row, column, at) => {
      forEachPlace(sliding, [plane, row, column], shape, (element, place) => {
        if (element === null) return
        const to = b * step + element * depth
        for (let i = 0, w = place * depth * channels; i < depth; i++) {
          let sum = 0
          for (let o = 0; o < channels; o++) sum += x.data[at * channels + o] * filter.data[w++]
          sums[to + i] += sum
        }
      })
    })
    return filled(x.dtype, shape, (out) => (out as NumberArray).set(sums))
  },
}

/** The volume and the windows of a pooling op. */
function pooling(call: Call): { x: ReturnType<typeof volume>; sliding: Sliding } {
  const x = volume(call, 0, 'tensor_in')
  if (x.dtype !== 'float32' && x.dtype !== 'bfloat16') throw new TypeError(`${x.dtype} is not a type of this op`)
  const format = call.attrs.string('data_format', 'NDHWC')
  if (format !== 'NDHWC')
    throw new InvalidArgumentError(`Default Pooling3DOp only supports NDHWC on device type CPU, got ${format}`)
  const [ksize, strides] = [call.attrs.numbers('ksize'), call.attrs.numbers('strides')]
  if (ksize.length !== 5 || strides.length !== 5)
    throw new InvalidArgumentError(`Sliding window ksize and stride fields must specify 5 dimensions: [${ksize}]`)
  if (ksize.some((size) => size <= 0))
    throw new InvalidArgumentError(`Sliding window ksize field must have non-negative dimensions: [${ksize}]`)
  if (ksize[0] !== 1 || strides[0] !== 1)
    throw new InvalidArgumentError('Pooling is not yet supported on the batch dimension.')
  if (ksize[4] !== 1 || strides[4] !== 1)
    throw new InvalidArgumentError('Pooling is not yet supported on the depth dimension.')
  return { x, sliding: slidingOver(call, x.shape, ksize.slice(1, 4)) }
}

/**
 * The largest of each window, of which padding is the lowest finite number. A NaN is passed over where Eigen takes a packet of
 * channels at once; else it stays until the next element, which takes its place.
 */
const maxPool: Op = {
  evaluate(call) {
    const { x, sliding } = pooling(call)
    const channels = x.shape[4]
    const [step] = stepsOf(x.shape)
    const padding = Number(lowest(x.dtype))
    return filled(x.dtype, answered(x.shape, sliding, channels), (out) => {
      forEachWindow(x.shape[0], sliding, (b, plane, row, column, at) => {
        const [first, end] = [at * channels, (at + 1) * channels]
        const so = (out as NumberArray).subarray(first, end).fill(Number.NEGATIVE_INFINITY)
        const isOfPacket = Array.from(so, (_, c) => {
          const packet = Math.floor((first + c) / LANES) * LANES
          return packet >= first && packet + LANES <= end
        })
        forEachPlace(sliding, [plane, row, column], x.shape, (element) => {
          for (let c = 0; c < channels; c++) {
            const next = element === null ? padding : x.data[b * step + element * channels + c]
            if (isOfPacket[c] ? so[c] < next : !(next < so[c])) so[c] = next
          }
        })
      })
    })
  },
}

/** Means of what the windows cover. The lowest finite number stands for padding in Eigen, so that one that is given does not count. */
const avgPool: Op = {
  evaluate(call) {
    const { x, sliding } = pooling(call)
    const channels = x.shape[4]
    const [step] = stepsOf(x.shape)
    const padding = Number(lowest(x.dtype))
    const round = halfRounding(x.dtype) ?? ((sum: number) => sum)
    const [sums, counts] = [zeros('float64', channels), zeros('float64', channels)]
    return filled(x.dtype, answered(x.shape, sliding, channels), (out) => {
      forEachWindow(x.shape[0], sliding, (b, plane, row, column, at) => {
        sums.fill(0)
        counts.fill(0)
        forEachPlace(sliding, [plane, row, column], x.shape, (element) => {
          if (element === null) return
          for (let c = 0; c < channels; c++) {
            const next = x.data[b * step + element * channels + c]
            if (next === padding) continue
            sums[c] = round(sums[c] + next)
            counts[c]++
          }
        })
        for (let c = 0; c < channels; c++) out[at * channels + c] = sums[c] / counts[c]
      })
    })
  },
}

export const ops: Readonly<Record<string, Op>> = {
  AvgPool3D: avgPool,
  Conv3D: conv3D,
  Conv3DBackpropInputV2: conv3DBackpropInput,
  MaxPool3D: maxPool,
}
