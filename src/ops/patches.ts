import { InvalidArgumentError } from '../errors.ts'
import { Attrs, type Call, type Op } from '../graph/index.ts'
import { isBig, type NumberArray, type Tensor, zeros } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { grid, pick, progression, reshaped, stepsOf, take } from './layout.ts'
import { lowest } from './segment.ts'
import { forEachCovered, type Image, imageOf, windowsOf } from './windows.ts'

// Pixels and channels rearranged, after core/kernels/{spacetodepth_op,depthtospace_op,extract_image_patches_op,lrn_op}.cc,
// which on a CPU take NHWC only.

function imageAndBlock({ inputs: [x], attrs }: Call): { x: Tensor; image: Image; block: number } {
  const format = attrs.string('data_format', 'NHWC')
  if (format !== 'NHWC') throw new InvalidArgumentError(`Only NHWC data_format supported on CPU. Got ${format}`)
  const block = attrs.number('block_size')
  return { x, image: imageOf(x.shape, format, 'input'), block }
}

/** Each block of pixels becomes one pixel, whose channels are the block's row by row. */
const spaceToDepth: Op = {
  evaluate(call) {
    const { x, image, block } = imageAndBlock(call)
    const { batch, height, width, channels } = image
    if (height % block !== 0 || width % block !== 0)
      throw new InvalidArgumentError(
        `Image width ${width} and height ${height} should be divisible by block_size: ${block}`,
      )
    const [tall, wide] = [height / block, width / block]
    const of = stepsOf([batch, tall, block, wide, block, channels])
    const sizes = [batch, tall, wide, block, block, channels]
    const lists = [0, 1, 3, 2, 4, 5].map((axis, i) => progression(sizes[i], of[axis]))
    return pick(x, lists, [batch, tall, wide, block * block * channels])
  },
}

const depthToSpace: Op = {
  evaluate(call) {
    const { x, image, block } = imageAndBlock(call)
    const { batch, height, width, channels } = image
    if (channels % (block * block) !== 0)
      throw new InvalidArgumentError(`Input depth dimension ${channels} should be divisible by: ${block * block}`)
    const depth = channels / (block * block)
    const of = stepsOf([batch, height, width, block, block, depth])
    const sizes = [batch, height, block, width, block, depth]
    const lists = [0, 1, 3, 2, 4, 5].map((axis, i) => progression(sizes[i], of[axis]))
    return pick(x, lists, [batch, height * block, width * block, depth])
  },
}

/** The pixels that each window covers side by side as channels; outside the image they are zero. */
const patches: Op = {
  evaluate({ inputs: [x], attrs }) {
    const sizes = imageOf(attrs.numbers('ksizes'), 'NHWC', 'ksizes')
    const image = imageOf(x.shape, 'NHWC', 'input')
    const { batch, height, width, channels } = image
    const slide = {
      strides: attrs.numbers('strides'),
      dilations: attrs.numbers('rates'),
      padding: attrs.string('padding'),
    }
    const { rows, columns } = windowsOf(new Attrs(slide), image, sizes, 'NHWC')
    const depth = sizes.height * sizes.width * channels
    const shape = [batch, rows.count, columns.count, depth]
    const starts = grid(shape.slice(0, 3).map((size, axis) => progression(size, stepsOf(shape)[axis])))
    const places = new Int32Array(starts.length * depth).fill(-1)
    let window = 0
    for (let b = 0; b < batch; b++) {
      for (let row = 0; row < rows.count; row++) {
        for (let column = 0; column < columns.count; column++) {
          const start = starts[window++]
          forEachCovered(rows, row, height, (y, r) => {
            forEachCovered(columns, column, width, (across, c) => {
              const [to, from] = [(r * sizes.width + c) * channels, ((b * height + y) * width + across) * channels]
              for (let i = 0; i < channels; i++) places[start + to + i] = from + i
            })
          })
        }
      }
    }
    return reshaped(take(x, places, [places.length]), shape)
  },
}

/** Each number by (bias + alpha · the sum of its neighbours' squares)^beta, neighbours being channels. */
const localResponse: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    if (x.shape.length !== 4) throw new InvalidArgumentError('in must be 4-dimensional')
    const { attrs } = call
    const [radius, bias] = [attrs.number('depth_radius', 5), attrs.number('bias', 1)]
    const [alpha, beta] = [attrs.number('alpha', 1), attrs.number('beta', 0.5)]
    const channels = x.shape[3]
    const data = x.data as NumberArray
    return filled(x.dtype, x.shape, (out) => {
      for (let i = 0; i < data.length; i++) {
        const channel = i % channels
        let sum = 0
        for (let c = Math.max(0, channel - radius); c <= Math.min(channels - 1, channel + radius); c++) {
          sum += data[i - channel + c] ** 2
        }
        out[i] = data[i] / (bias + alpha * sum) ** beta
      }
    })
  },
}

/** The largest of each window's numbers and the filter's, added, after core/kernels/dilation_ops.cc. */
const dilation: Op = {
  evaluate(call) {
    const [x, filter] = [numeric(call, 0), numeric(call, 1)]
    if (isBig(x.dtype)) throw new TypeError(`${x.dtype} is not a type of this op`)
    if (filter.shape.length !== 3) throw new InvalidArgumentError(`filter must be 3-dimensional: [${filter.shape}]`)
    const image = imageOf(x.shape, 'NHWC', 'input')
    const { batch, height, width, channels } = image
    const [tall, wide, depth] = filter.shape
    if (depth !== channels)
      throw new InvalidArgumentError(`input and filter must have the same depth: ${channels} vs ${depth}`)
    const slide = {
      strides: call.attrs.numbers('strides'),
      dilations: call.attrs.numbers('rates'),
      padding: call.attrs.string('padding'),
    }
    const sizes = { batch: 1, height: tall, width: wide, channels: 1 }
    const { rows, columns } = windowsOf(new Attrs(slide), image, sizes, 'NHWC')
    const [data, weights] = [x.data as NumberArray, filter.data as NumberArray]
    const least = Number(lowest(x.dtype))
    // A sum is of the numbers' own type, in which it wraps.
    const value = zeros(x.dtype, 1) as NumberArray
    return filled(x.dtype, [batch, rows.count, columns.count, channels], (out) => {
      for (let at = 0; at < out.length; at++) {
        const [c, window] = [at % channels, Math.floor(at / channels)]
        const [column, row] = [window % columns.count, Math.floor(window / columns.count) % rows.count]
        const image = Math.floor(window / columns.count / rows.count) * height
        let most = least
        forEachCovered(rows, row, height, (y, r) => {
          forEachCovered(columns, column, width, (across, k) => {
            value[0] = data[((image + y) * width + across) * channels + c] + weights[(r * wide + k) * channels + c]
            if (value[0] > most) most = value[0]
          })
        })
        out[at] = most
      }
    })
  },
}

export const ops: Readonly<Record<string, Op>> = {
  SpaceToDepth: spaceToDepth,
  DepthToSpace: depthToSpace,
  Dilation2D: dilation,
  ExtractImagePatches: patches,
  LRN: localResponse,
}
