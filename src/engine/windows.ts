import type { Call } from '../graph/index.ts'
import { imageOf, windowsOf } from '../ops/windows.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Kernels, Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './table.ts'

// Convolutions and pooling along the steps of sequences, which Keras writes as images of one row or of one column.

/** Bytes of windows laid side by side that are multiplied at once: they stay in the second cache. */
const LAID = 1 << 18

/** A sequence in an image's clothes, and the windows along it. */
interface Sequence {
  readonly batch: number
  readonly length: number
  readonly channels: number
  readonly count: number
  readonly size: number
  readonly start: number
  readonly stride: number
  readonly dilation: number
  /** The shape of an answer of so many channels. */
  shape(channels: number): number[]
}

/** Null where the windows slide along two dimensions, and for another layout than NHWC. */
function sequenceOf({ attrs, inputs: [x] }: Call, height: number, width: number): Sequence | null {
  if (x.shape.length !== 4 || attrs.string('data_format', 'NHWC') !== 'NHWC') return null
  const image = imageOf(x.shape, 'NHWC', 'input')
  const { rows, columns } = windowsOf(attrs, image, { batch: 1, height, width, channels: 1 }, 'NHWC')
  const { batch, channels } = image
  if (image.height === 1 && height === 1 && rows.count === 1 && rows.start === 0)
    return { batch, channels, length: image.width, ...columns, shape: (n) => [batch, 1, columns.count, n] }
  if (image.width === 1 && width === 1 && columns.count === 1 && columns.start === 0)
    return { batch, channels, length: image.height, ...rows, shape: (n) => [batch, rows.count, 1, n] }
  return null
}

/** A convolution whose filter takes all channels. */
function conv2D(call: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const [x, filter] = call.inputs
  if (x.dtype !== 'float32' || filter?.dtype !== 'float32' || filter.shape.length !== 4) return null
  const [height, width, depth, channels] = filter.shape
  if (x.shape[3] !== depth || filter.data.length === 0) return null
  const sequence = sequenceOf(call, height, width)
  if (sequence === null) return null
  const { batch, length, count, size, start, stride, dilation } = sequence
  const k = size * depth
  if (batch * count * channels === 0) return null
  const most = Math.max(1, Math.floor(LAID / (4 * k)))
  const [at, w] = [memory.address(x.data), memory.address(filter.data)]
  const [out, laid] = [memory.room(batch * count * channels), memory.room(Math.min(most, batch * count) * k)]
  if (at === null || w === null || out === null || laid === null) return null
  let [row, to] = [0, out.byteOffset]
  const multiply = (): void => {
    kernels.matmul(to, laid.byteOffset, w, row, k, channels, 0)
    to += 4 * row * channels
    row = 0
  }
  for (let b = 0; b < batch; b++) {
    const from = at + 4 * b * length * depth
    for (let i = 0; i < count; ) {
      const some = Math.min(count - i, most - row)
      const place = laid.byteOffset + 4 * row * k
      kernels.layWindows(place, from, some, depth, length, size, start + i * stride, stride, dilation)
      i += some
      row += some
      if (row === most) multiply()
    }
  }
  if (row > 0) multiply()
  return { dtype: 'float32', shape: sequence.shape(channels), data: out }
}

const HOW = { max: 0, mean: 1, products: 2 } as const

function slide(
  call: Call,
  size: readonly [height: number, width: number],
  weights: Float32Array | null,
  how: keyof typeof HOW,
  memory: Memory,
  kernels: Kernels,
): Tensor | null {
  const [x] = call.inputs
  const sequence = x.dtype === 'float32' ? sequenceOf(call, ...size) : null
  if (sequence === null) return null
  const { batch, length, channels, count, start, stride, dilation } = sequence
  if (batch * count * channels === 0) return null
  const at = memory.address(x.data as Float32Array)
  const w: Pointer | null = weights === null ? 0 : memory.address(weights)
  const out = memory.room(batch * count * channels)
  if (at === null || w === null || out === null) return null
  for (let b = 0; b < batch; b++) {
    const [to, from] = [out.byteOffset + 4 * b * count * channels, at + 4 * b * length * channels]
    kernels.slideWindows(to, from, w, count, channels, length, sequence.size, start, stride, dilation, HOW[how])
  }
  return { dtype: 'float32', shape: sequence.shape(channels), data: out }
}

/** One filter a channel: of more, and of what TensorFlow refuses, the reference knows. */
function depthwise(call: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const [x, filter] = call.inputs
  if (filter?.dtype !== 'float32' || filter.shape.length !== 4) return null
  const [height, width, depth, multiplier] = filter.shape
  const strides = imageOf(call.attrs.numbers('strides'), 'NHWC', 'strides')
  if (multiplier !== 1 || x.shape[3] !== depth || strides.height !== strides.width) return null
  if (call.attrs.numbers('dilations', [1, 1, 1, 1]).some((dilation) => dilation !== 1)) return null
  return slide(call, [height, width], filter.data, 'products', memory, kernels)
}

function pool(call: Call, how: 'max' | 'mean', memory: Memory, kernels: Kernels): Tensor | null {
  if (call.attrs.string('data_format', 'NHWC') !== 'NHWC') return null
  const { batch, height, width, channels } = imageOf(call.attrs.numbers('ksize'), 'NHWC', 'ksize')
  return batch === 1 && channels === 1 && height > 0 && width > 0
    ? slide(call, [height, width], null, how, memory, kernels)
    : null
}

/** Puts the kernels in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  place('Conv2D', (call) => conv2D(call, memory, kernels))
  place('DepthwiseConv2dNative', (call) => depthwise(call, memory, kernels))
  place('MaxPool', (call) => pool(call, 'max', memory, kernels))
  place('AvgPool', (call) => pool(call, 'mean', memory, kernels))
}
