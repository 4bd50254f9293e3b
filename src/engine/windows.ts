import type { Call, Graph } from '../graph/index.ts'
import { imageOf, type Windows, windowsOf } from '../ops/windows.ts'
import { packedLength, type Tensor, type TensorOf } from '../tensor/index.ts'
import { Filters } from './filters.ts'
import { ACTIVATIONS, type Kernels, type Pointer } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'
import { conv2DBackpropInput } from './transposed.ts'

// Convolutions and pooling over images, and along the steps of sequences, which Keras writes as images of one row or column.

/** Bytes of windows laid side by side that are multiplied at once: they stay in the second cache. */
const LAID = 1 << 18
/** From so many windows on a filter that is computed, or a loop's, is packed first: it takes as long as a few of them. */
const PACKED = 12

/** An image in NHWC, and the windows over it. */
interface Picture {
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly rows: Windows
  readonly columns: Windows
  /** The shape of an answer of so many channels. */
  shape(channels: number): number[]
}

/** Null for another layout than NHWC. */
function pictureOf({ attrs, inputs: [x] }: Call, height: number, width: number): Picture | null {
  if (x.shape.length !== 4 || attrs.string('data_format', 'NHWC') !== 'NHWC') return null
  const image = imageOf(x.shape, 'NHWC', 'input')
  const { rows, columns } = windowsOf(attrs, image, { batch: 1, height, width, channels: 1 }, 'NHWC')
  const shape = (channels: number) => [image.batch, rows.count, columns.count, channels]
  // What lies in one column lies as it would in one row, and a row's windows are taken by one call.
  return image.width === 1 && width === 1 && columns.count === 1 && columns.start === 0
    ? { ...image, height: 1, width: image.height, rows: columns, columns: rows, shape }
    : { ...image, rows, columns, shape }
}

/**
 * A convolution whose filter takes all channels.
 * @param filters those that lie packed
 */
export function conv2D(call: Call, filters: Filters | null, memory: Memory, kernels: Kernels): Tensor | null {
  const [x, filter] = call.inputs
  if (x.dtype !== 'float32' || filter?.dtype !== 'float32' || filter.shape.length !== 4) return null
  const [tall, size, depth, channels] = filter.shape
  if (x.shape[3] !== depth || filter.data.length === 0) return null
  const picture = pictureOf(call, tall, size)
  if (picture === null) return null
  const { batch, height, width, rows, columns } = picture
  const [k, windows] = [tall * size * depth, batch * rows.count * columns.count]
  if (windows === 0) return null
  const [at, out] = [memory.address(x.data), memory.room(windows * channels)]
  if (at === null || out === null) return null
  const multiply = productWith(filter, filters?.panelsAt(filter) ?? null, windows, memory, kernels)
  if (multiply === null) return null
  const answer: Tensor = { dtype: 'float32', shape: picture.shape(channels), data: out }
  if (isPixels(picture)) {
    multiply(out.byteOffset, at, windows)
    return answer
  }
  const most = Math.min(windows, Math.max(1, Math.floor(LAID / (4 * k))))
  const laid = memory.room(most * k)
  if (laid === null) return null
  let [row, to] = [0, out.byteOffset]
  const flush = (): void => {
    multiply(to, laid.byteOffset, row)
    to += 4 * row * channels
    row = 0
  }
  for (let b = 0; b < batch; b++) {
    const from = at + 4 * b * height * width * depth
    for (let r = 0; r < rows.count; r++) {
      const y = rows.start + r * rows.stride
      for (let i = 0; i < columns.count; ) {
        const some = Math.min(columns.count - i, most - row)
        const start = columns.start + i * columns.stride
        const place = laid.byteOffset + 4 * row * k
        kernels.layWindows(
          place,
          from,
          some,
          depth,
          height,
          width,
          rows.size,
          columns.size,
          y,
          start,
          columns.stride,
          rows.dilation,
          columns.dilation,
        )
        i += some
        row += some
        if (row === most) flush()
      }
    }
  }
  if (row > 0) flush()
  return answer
}

/** Whether each window is one pixel and all pixels have one: then the image is the matrix. */
const isPixels = ({ rows, columns, height, width }: Picture): boolean =>
  rows.size === 1 &&
  columns.size === 1 &&
  rows.count === height &&
  columns.count === width &&
  rows.start === 0 &&
  columns.start === 0

/** out[rows × n] = x[rows × k] · the filter [k × n] of `all` rows in parts; null where there is no room. */
function productWith(
  { shape, data }: TensorOf<'float32'>,
  kept: Pointer | null,
  all: number,
  memory: Memory,
  kernels: Kernels,
): ((out: Pointer, x: Pointer, rows: number) => void) | null {
  const n = shape[3]
  const k = data.length / n
  const byPanels =
    (panels: Pointer) =>
    (out: Pointer, x: Pointer, rows: number): void =>
      kernels.dense(out, x, panels, 0, rows, k, n, ACTIVATIONS.none, 0)
  if (kept !== null) return byPanels(kept)
  const w = memory.address(data)
  if (w === null) return null
  if (all < PACKED) return (out, x, rows) => kernels.matmul(out, x, w, rows, k, n, 0)
  const panels = memory.room(packedLength(k, n))
  if (panels === null) return null
  kernels.packPanels(panels.byteOffset, w, k, n)
  return byPanels(panels.byteOffset)
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
  const picture = x.dtype === 'float32' ? pictureOf(call, ...size) : null
  if (picture === null) return null
  const { batch, height, width, channels, rows, columns } = picture
  const length = batch * rows.count * columns.count * channels
  if (length === 0) return null
  const at = memory.address(x.data as Float32Array)
  const w: Pointer | null = weights === null ? 0 : memory.address(weights)
  const out = memory.room(length)
  if (at === null || w === null || out === null) return null
  let to = out.byteOffset
  for (let b = 0; b < batch; b++) {
    const from = at + 4 * b * height * width * channels
    for (let r = 0; r < rows.count; r++, to += 4 * columns.count * channels) {
      kernels.slideWindows(
        to,
        from,
        w,
        columns.count,
        channels,
        height,
        width,
        rows.size,
        columns.size,
        rows.start + r * rows.stride,
        columns.start,
        columns.stride,
        rows.dilation,
        columns.dilation,
        HOW[how],
      )
    }
  }
  return { dtype: 'float32', shape: picture.shape(channels), data: out }
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

/** Puts the kernels in place of the ops, and packs the graphs' filters. */
export function bind(
  place: Place,
  memory: Memory,
  kernels: Kernels,
  _smallest: number,
  graphs: readonly Graph[],
): void {
  const filters = new Filters(graphs, memory, kernels)
  place('Conv2D', (call) => conv2D(call, filters, memory, kernels))
  place('Conv2DBackpropInput', (call) => conv2DBackpropInput(call, memory, kernels))
  place('DepthwiseConv2dNative', (call) => depthwise(call, memory, kernels))
  place('MaxPool', (call) => pool(call, 'max', memory, kernels))
  place('AvgPool', (call) => pool(call, 'mean', memory, kernels))
}
