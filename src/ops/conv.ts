import { InvalidArgumentError } from '../errors.ts'
import { Attrs, type Call, type Op } from '../graph/index.ts'
import { type BigArray, isBig, isFloat, type NumberArray, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'
import { halfRounding } from './halfsums.ts'
import { integerVector } from './integers.ts'
import { stepsOf } from './layout.ts'
import { lowest } from './segment.ts'
import { forEachCovered, type Image, imageOf, shapeOf, type Windows, windowsOf } from './windows.ts'

// Convolutions and pooling over images, after core/kernels/{conv_ops,depthwise_conv_op,maxpooling_op,avgpooling_op}.cc.
// Floats are summed in double and rounded once. NCHW is taken too, which TensorFlow's CPU kernels mostly refuse.

/** An image tensor: its sizes and steps by name. */
interface Pixels {
  readonly tensor: NumericTensor
  readonly sizes: Image
  readonly steps: Image
}

function pixelsOf(call: Call, format: string): Pixels {
  const tensor = numeric(call, 0)
  if (tensor.dtype === 'bool') throw new TypeError(`${tensor.dtype} is not a type of this op`)
  if (format !== 'NHWC' && format !== 'NCHW')
    throw new InvalidArgumentError(`data format ${format} is not NHWC or NCHW`)
  const sizes = imageOf(tensor.shape, format, 'input')
  return { tensor, sizes, steps: imageOf(stepsOf(tensor.shape), format, 'input') }
}

/** Which input channels and which part of the filter make output channel `out`. */
interface Wiring {
  readonly channels: number
  /** The first input channel, how many follow it, and where their weights lie: weight + i·step past the window's place. */
  of(out: number): { readonly input: number; readonly count: number; readonly weight: number; readonly step: number }
}

/** Sums of products of each window with the filter: `place` weights lie between neighbouring places of a window. */
function convolve(
  { tensor, sizes, steps }: Pixels,
  filter: NumericTensor,
  { rows, columns }: { rows: Windows; columns: Windows },
  { channels, of }: Wiring,
  format: string,
): Tensor {
  if (isBig(tensor.dtype)) throw new TypeError(`${tensor.dtype} is not a type of this op`)
  const data = tensor.data as NumberArray
  const shape = shapeOf({ batch: sizes.batch, height: rows.count, width: columns.count, channels }, format)
  const [, rowStep] = stepsOf(filter.shape)
  const weights = filter.data as NumberArray
  const wires = Array.from({ length: channels }, (_, out) => of(out))
  const to = imageOf(stepsOf(shape), format, 'output')
  const sums = new Float64Array(channels)
  return filled(tensor.dtype, shape, (out) => {
    for (let b = 0; b < sizes.batch; b++) {
      for (let row = 0; row < rows.count; row++) {
        for (let column = 0; column < columns.count; column++) {
          sums.fill(0)
          forEachCovered(rows, row, sizes.height, (y, r) => {
            forEachCovered(columns, column, sizes.width, (x, c) => {
              const pixel = b * steps.batch + y * steps.height + x * steps.width
              const place = (r * filter.shape[1] + c) * rowStep
              for (let o = 0; o < channels; o++) {
                const { input, count, weight, step } = wires[o]
                for (let i = 0; i < count; i++) {
                  sums[o] += data[pixel + (input + i) * steps.channels] * weights[place + weight + i * step]
                }
              }
            })
          })
          const at = b * to.batch + row * to.height + column * to.width
          for (let o = 0; o < channels; o++) out[at + o * to.channels] = sums[o]
        }
      }
    }
  })
}

/** The filter, [height, width, input channels, output channels or the like]. */
function filterOf(call: Call): NumericTensor {
  const filter = numeric(call, 1)
  if (filter.shape.length !== 4) throw new InvalidArgumentError(`filter must be 4-dimensional: [${filter.shape}]`)
  return filter
}

const windowSize = (filter: NumericTensor): Image => ({
  batch: 1,
  height: filter.shape[0],
  width: filter.shape[1],
  channels: 1,
})

/** A filter of fewer input channels than the image has is one of a group of convolutions side by side. */
const conv2D: Op = {
  evaluate(call) {
    const format = call.attrs.string('data_format', 'NHWC')
    const image = pixelsOf(call, format)
    const filter = filterOf(call)
    if (sizeOf(filter.shape) === 0) {
      throw new InvalidArgumentError('filter must not have zero elements (i.e. all dimensions must be non-zero)')
    }
    const [, , depth, channels] = filter.shape
    if (image.sizes.channels % depth !== 0) {
      throw new InvalidArgumentError(
        `input depth must be evenly divisible by filter depth: ${image.sizes.channels} vs ${depth}`,
      )
    }
    const groups = image.sizes.channels / depth
    if (channels % groups !== 0) {
      throw new InvalidArgumentError(
        `output depth must be evenly divisible by number of groups: ${channels} vs ${groups}`,
      )
    }
    const windows = windowsOf(call.attrs, image.sizes, windowSize(filter), format)
    const width = channels / groups
    const of = (out: number) => ({ input: Math.floor(out / width) * depth, count: depth, weight: out, step: channels })
    return convolve(image, filter, windows, { channels, of }, format)
  },
}

/** Each input channel has its own filters, [height, width, channels, multiplier]; their outputs lie side by side. */
const depthwise: Op = {
  evaluate(call) {
    const format = call.attrs.string('data_format', 'NHWC')
    const image = pixelsOf(call, format)
    const filter = filterOf(call)
    const [, , depth, multiplier] = filter.shape
    if (image.sizes.channels !== depth) {
      throw new InvalidArgumentError(`input and filter must have the same depth: ${image.sizes.channels} vs ${depth}`)
    }
    const dilations = call.attrs.numbers('dilations', [1, 1, 1, 1])
    if (dilations.some((dilation) => dilation !== 1)) {
      throw new InvalidArgumentError(
        'Current implementation only supports dilations equal to 1 in the row and column dimensions.',
      )
    }
    const strides = imageOf(call.attrs.numbers('strides'), format, 'strides')
    if (strides.height !== strides.width) {
      throw new InvalidArgumentError(
        'Current implementation only supports equal length strides in the row and column dimensions.',
      )
    }
    const windows = windowsOf(call.attrs, image.sizes, windowSize(filter), format)
    const of = (out: number) => ({ input: Math.floor(out / multiplier), count: 1, weight: out, step: 0 })
    return convolve(image, filter, windows, { channels: depth * multiplier, of }, format)
  },
}

/** The shape of a transposed convolution's result: all four sizes, or height and width only. */
function transposedShape(call: Call, image: Image, depth: number, format: string): Image {
  const sizes = integerVector(call, 0, 'input_sizes')
  if (sizes.length === 4) return imageOf(sizes, format, 'input_sizes')
  if (sizes.length !== 2) throw new InvalidArgumentError(`input_sizes must have 4 or 2 elements, got ${sizes.length}`)
  return { batch: image.batch, height: sizes[0], width: sizes[1], channels: depth }
}

/**
 * Conv2DTranspose: each pixel lays the filter, [height, width, channels out, channels in], weighted, over the window of the
 * result that Conv2D would have made it of (conv_grad_input_ops.cc).
 */
const conv2DBackpropInput: Op = {
  evaluate(call) {
    const format = call.attrs.string('data_format', 'NHWC')
    const filter = filterOf(call)
    const x = numeric(call, 2)
    if (isBig(x.dtype) || x.dtype === 'bool') throw new TypeError(`${x.dtype} is not a type of this op`)
    const [image, from] = [imageOf(x.shape, format, 'out_backprop'), imageOf(stepsOf(x.shape), format, 'out_backprop')]
    const [, filterWidth, depth, channels] = filter.shape
    const wanted = transposedShape(call, image, depth, format)
    const { rows, columns } = windowsOf(call.attrs, wanted, windowSize(filter), format)
    if (rows.count !== image.height || columns.count !== image.width || image.batch !== wanted.batch) {
      throw new InvalidArgumentError(
        `Size of out_backprop doesn't match computed: [${image.batch}, ${image.height}, ${image.width}], computed [${wanted.batch}, ${rows.count}, ${columns.count}]`,
      )
    }
    if (image.channels !== channels || wanted.channels % depth !== 0) {
      throw new InvalidArgumentError(
        `filter [${filter.shape}] does not fit out_backprop's ${image.channels} channels and the input's ${wanted.channels}`,
      )
    }
    const width = channels / (wanted.channels / depth)
    const shape = shapeOf(wanted, format)
    const to = imageOf(stepsOf(shape), format, 'output')
    const [data, weights] = [x.data as NumberArray, filter.data as NumberArray]
    const sums = zeros('float64', sizeOf(shape))
    for (let b = 0; b < image.batch; b++) {
      for (let row = 0; row < image.height; row++) {
        for (let column = 0; column < image.width; column++) {
          const pixel = b * from.batch + row * from.height + column * from.width
          forEachCovered(rows, row, wanted.height, (y, r) => {
            forEachCovered(columns, column, wanted.width, (across, c) => {
              const at = b * to.batch + y * to.height + across * to.width
              const place = (r * filterWidth + c) * depth * channels
              for (let o = 0; o < channels; o++) {
                const first = Math.floor(o / width) * depth
                const value = data[pixel + o * from.channels]
                for (let i = 0; i < depth; i++) {
                  sums[at + (first + i) * to.channels] += value * weights[place + i * channels + o]
                }
              }
            })
          })
        }
      }
    }
    return filled(x.dtype, shape, (out) => (out as NumberArray).set(sums))
  },
}

/** One number of each window and channel: `next` takes its elements in, `last` sees how many there were. */
interface Pooling<N> {
  initial(tensor: NumericTensor): N
  next(so: N, x: N): N
  last(total: N, count: number): N
}

/** `numbers` of each window and channel, or `bigs` of int64. */
const pool = (numbers: Pooling<number>, bigs?: Pooling<bigint>): Op => ({
  evaluate(given) {
    const call = withSizes(given)
    const pixels = pixelsOf(call, call.attrs.string('data_format', 'NHWC'))
    const { dtype, data } = pixels.tensor
    if (!isBig(dtype)) return pooled(call, pixels, data as NumberArray, numbers)
    if (bigs === undefined) throw new TypeError(`${dtype} is not a type of this op`)
    return pooled(call, pixels, data as BigArray, bigs)
  },
})

function pooled<N extends number | bigint>(
  call: Call,
  { tensor, sizes, steps }: Pixels,
  data: ArrayLike<N>,
  { initial, next, last }: Pooling<N>,
): Tensor {
  const format = call.attrs.string('data_format', 'NHWC')
  const window = imageOf(call.attrs.numbers('ksize'), format, 'ksize')
  if (window.batch !== 1 || window.channels !== 1) {
    throw new InvalidArgumentError('Pooling is not yet supported on the batch or the depth dimension.')
  }
  if (window.height <= 0 || window.width <= 0) throw new InvalidArgumentError('Sliding window ksize must be positive.')
  const { rows, columns } = windowsOf(call.attrs, sizes, window, format)
  const shape = shapeOf({ ...sizes, height: rows.count, width: columns.count }, format)
  const to = imageOf(stepsOf(shape), format, 'output')
  const totals = new Array<N>(sizes.channels)
  return filled(tensor.dtype, shape, (out) => {
    for (let b = 0; b < sizes.batch; b++) {
      for (let row = 0; row < rows.count; row++) {
        for (let column = 0; column < columns.count; column++) {
          totals.fill(initial(tensor))
          let count = 0
          forEachCovered(rows, row, sizes.height, (y) => {
            forEachCovered(columns, column, sizes.width, (x) => {
              const pixel = b * steps.batch + y * steps.height + x * steps.width
              for (let c = 0; c < totals.length; c++) totals[c] = next(totals[c], data[pixel + c * steps.channels])
              count++
            })
          })
          const at = b * to.batch + row * to.height + column * to.width
          for (let c = 0; c < totals.length; c++) out[at + c * to.channels] = last(totals[c], count)
        }
      }
    }
  })
}

/** MaxPoolV2's window and strides are inputs where MaxPool's are attributes. */
function withSizes(call: Call): Call {
  if (call.inputs.length === 1) return call
  const [ksize, strides] = [integerVector(call, 1, 'ksize'), integerVector(call, 2, 'strides')]
  return { ...call, attrs: new Attrs({ ...Object.fromEntries(call.attrs.entries()), ksize, strides }) }
}

/** It begins at the lowest finite number, so that of −∞ and NaN alone it is this. */
const maxPool = pool(
  { initial: ({ dtype }) => Number(lowest(dtype)), next: (so, x) => (x > so ? x : so), last: (total) => total },
  { initial: ({ dtype }) => BigInt(lowest(dtype)), next: (so, x) => (x > so ? x : so), last: (total) => total },
)

/** Padding does not count: a window at the border is the mean of what it covers. Half floats are rounded after each step. */
const avgPool: Op = {
  evaluate(call) {
    const { dtype } = call.inputs[0]
    if (!isFloat(dtype)) throw new TypeError(`input 0 must be of a float type, got ${dtype}`)
    const round = halfRounding(dtype) ?? ((x: number) => x)
    return pool({
      initial: () => 0,
      next: (so, x) => round(so + x),
      last: (total, count) => total / round(count),
    }).evaluate(call)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  Conv2D: conv2D,
  Conv2DBackpropInput: conv2DBackpropInput,
  DepthwiseConv2dNative: depthwise,
  MaxPool: maxPool,
  MaxPoolV2: maxPool,
  AvgPool: avgPool,
}
