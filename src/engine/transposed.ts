import type { Call } from '../graph/index.ts'
import { imageOf, windowsOf } from '../ops/windows.ts'
import { packedLength, type Tensor } from '../tensor/index.ts'
import { ACTIVATIONS, type Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import { SMALLEST } from './place.ts'

// Transposed convolutions, of decoders above all: a product gives what each pixel lays over its window, and the windows are
// added up in float32, as TensorFlow adds them.

/** Bytes of windows laid side by side that are made at once: they stay in the second cache. */
const LAID = 1 << 18

/** Null for another layout than NHWC, groups, and what TensorFlow refuses. */
export function conv2DBackpropInput({ attrs, inputs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const [sizes, filter, x] = inputs
  if (sizes.dtype !== 'int32' || filter?.dtype !== 'float32' || x?.dtype !== 'float32') return null
  if (filter.shape.length !== 4 || x.shape.length !== 4 || attrs.string('data_format', 'NHWC') !== 'NHWC') return null
  const [tall, wide, depth, channels] = filter.shape
  const image = imageOf(x.shape, 'NHWC', 'out_backprop')
  const asked = [...sizes.data]
  const shape = asked.length === 2 ? [image.batch, ...asked, depth] : asked
  if (shape.length !== 4 || shape[0] !== image.batch || shape[3] !== depth || image.channels !== channels) return null
  const [batch, height, width] = shape
  const over = { batch: 1, height: tall, width: wide, channels: 1 }
  const { rows, columns } = windowsOf(attrs, { batch, height, width, channels: depth }, over, 'NHWC')
  if (rows.count !== image.height || columns.count !== image.width) return null
  const [pixels, n] = [batch * rows.count * columns.count, tall * wide * depth]
  if (pixels === 0 || n * channels === 0) return null
  const most = Math.min(pixels, Math.max(1, Math.floor(LAID / (4 * n))))
  const [at, out] = [memory.address(x.data), memory.room(batch * height * width * depth)]
  const [turned, panels] = [memory.room(n * channels), memory.room(packedLength(channels, n))]
  const laid = memory.room(most * n)
  if (at === null || out === null || turned === null || panels === null || laid === null) return null
  for (let j = 0; j < n; j++) for (let o = 0; o < channels; o++) turned[o * n + j] = filter.data[j * channels + o]
  kernels.packPanels(panels.byteOffset, turned.byteOffset, channels, n)
  out.fill(0)
  const run = wide * depth
  for (let first = 0; first < pixels; first += most) {
    const some = Math.min(most, pixels - first)
    const from = at + 4 * first * channels
    kernels.dense(laid.byteOffset, from, panels.byteOffset, 0, some, channels, n, ACTIVATIONS.none, 0)
    for (let i = 0; i < some; i++) {
      const pixel = first + i
      const [column, line] = [pixel % columns.count, Math.floor(pixel / columns.count)]
      const [row, b] = [line % rows.count, Math.floor(line / rows.count)]
      const left = columns.start + column * columns.stride
      for (let r = 0; r < tall; r++) {
        const y = rows.start + row * rows.stride + r * rows.dilation
        if (y < 0 || y >= height) continue
        const to = (b * height + y) * width
        const place = i * n + r * run
        if (columns.dilation === 1) {
          // What lies side by side in the window does in the image.
          const begin = Math.max(0, -left) * depth
          const end = Math.min(wide, width - left) * depth
          const shift = (to + left) * depth
          const length = end - begin
          if (length >= SMALLEST) {
            const onto = out.byteOffset + 4 * (shift + begin)
            kernels.add(onto, onto, laid.byteOffset + 4 * (place + begin), 1, length, length, 1, length, 1)
          } else for (let k = begin; k < end; k++) out[shift + k] += laid[place + k]
          continue
        }
        for (let c = 0; c < wide; c++) {
          const across = left + c * columns.dilation
          if (across < 0 || across >= width) continue
          for (let k = 0; k < depth; k++) out[(to + across) * depth + k] += laid[place + c * depth + k]
        }
      }
    }
  }
  return { dtype: 'float32', shape, data: out }
}
