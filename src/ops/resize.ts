import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Call, Op } from '../graph/index.ts'
import { halfEven, isBig, type NumberArray, sizeOf, type Tensor, zeros } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { integers, integerVector } from './integers.ts'
import { KERNELS } from './resizekernels.ts'

// Images in other sizes, [batch, height, width, channels], after core/kernels/image/{resize_bilinear,resize_bicubic,
// resize_nearest_neighbor,resize_area,scale_and_translate,crop_and_resize}_op.cc. Positions are float32, as they are there:
// which pixel is nearest hangs on that.

const f32 = Math.fround

interface Images {
  readonly data: NumberArray
  readonly shape: readonly [batch: number, height: number, width: number, channels: number]
}

function imagesOf(call: Call): Images {
  const { dtype, shape, data } = numeric(call, 0)
  if (isBig(dtype)) throw new TypeError(`input 0 must be of at most 32 bits, got ${dtype}`)
  if (shape.length !== 4) throw new InvalidArgumentError(`input must be 4-dimensional, got shape [${shape}]`)
  const [batch, height, width, channels] = shape
  return { data: data as NumberArray, shape: [batch, height, width, channels] }
}

function sizesOf(call: Call, i: number): [height: number, width: number] {
  const size = integerVector(call, i, 'size')
  if (size.length !== 2) throw new InvalidArgumentError(`size must have 2 elements, got ${size.length}`)
  if (!(size[0] > 0 && size[1] > 0)) throw new InvalidArgumentError(`output dimensions must be positive: [${size}]`)
  return [size[0], size[1]]
}

/** Some elements along one dimension and what each counts: output position i is their weighted sum. */
interface Span {
  readonly from: readonly number[]
  readonly weights: readonly number[]
}

/** Where the sampling begins along a dimension of `from` elements of which `to` are made. */
interface Axis {
  readonly from: number
  readonly to: number
  readonly scale: number
  readonly half: boolean
}

function axisOf(attrs: Attrs, from: number, to: number): Axis {
  const [corners, half] = [attrs.boolean('align_corners', false), attrs.boolean('half_pixel_centers', false)]
  if (corners && half) {
    throw new InvalidArgumentError('If half_pixel_centers is True, align_corners must be False.')
  }
  return { from, to, scale: corners && to > 1 ? f32((from - 1) / (to - 1)) : f32(from / to), half }
}

const placeOf = ({ scale, half }: Axis, i: number): number =>
  half ? f32(f32(f32(i + 0.5) * scale) - 0.5) : f32(i * scale)

const clamp = (x: number, most: number): number => Math.max(0, Math.min(most, x))

function linear(axis: Axis): Span[] {
  return Array.from({ length: axis.to }, (_, i) => {
    const place = placeOf(axis, i)
    const low = Math.floor(place)
    const part = f32(place - low)
    const [lower, upper] = [Math.max(low, 0), Math.min(Math.ceil(place), axis.from - 1)]
    return { from: [lower, upper], weights: [1 - part, part] }
  })
}

/** Steps between neighbours of the table of cubic weights that TensorFlow looks them up in. */
const STEPS = 1024

/** Keys's cubic, a = -0.5, whose weights outside the image do not count; the older form takes a = -0.75 and border pixels. */
function cubic(axis: Axis): Span[] {
  const a = axis.half ? -0.5 : -0.75
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  return Array.from({ length: axis.to }, (_, i) => {
    const place = placeOf(axis, i)
    const low = Math.floor(place)
    const part = halfEven(f32(place - low) * STEPS) / STEPS
    const weights = [far(1 + part), near(part), near(1 - part), far(2 - part)]
    const wanted = [low - 1, low, low + 1, low + 2]
    const from = wanted.map((j) => clamp(j, axis.from - 1))
    if (!axis.half) return { from, weights }
    const kept = weights.map((weight, j) => (from[j] === wanted[j] ? weight : 0))
    return { from, weights: normalized(kept) }
  })
}

function normalized(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return Math.abs(total) >= SMALLEST ? weights.map((weight) => weight / total) : weights.slice()
}
const SMALLEST = 1000 * 2 ** -126

/** Each output position is the mean of the stretch of input that it stands for. */
function area(given: Axis): Span[] {
  // With corners aligned, one row would be stretches of length 0: TensorFlow divides it instead.
  const axis = given.from === 1 ? { ...given, scale: f32(1 / given.to) } : given
  return Array.from({ length: axis.to }, (_, i) => {
    const [start, end] = [f32(i * axis.scale), f32((i + 1) * axis.scale)]
    const from: number[] = []
    const weights: number[] = []
    for (let j = Math.floor(start); j < Math.ceil(end); j++) {
      from.push(clamp(j, axis.from - 1))
      const covered = j < start ? (j + 1 > end ? axis.scale : j + 1 - start) : j + 1 > end ? end - j : 1
      weights.push(covered / axis.scale)
    }
    return { from, weights }
  })
}

/** Sums over spans of rows and of columns; the result is float32 whatever the images are. */
function sampled({ data, shape }: Images, rows: readonly Span[], columns: readonly Span[]): Tensor {
  const [batch, height, width, channels] = shape
  const to = [batch, rows.length, columns.length, channels]
  const lines = zeros('float64', sizeOf([rows.length, width, channels]))
  return filled('float32', to, (out) => {
    let at = 0
    for (let b = 0; b < batch; b++) {
      const image = b * height * width * channels
      lines.fill(0)
      rows.forEach(({ from, weights }, row) => {
        const line = row * width * channels
        from.forEach((y, k) => {
          const start = image + y * width * channels
          for (let i = 0; i < width * channels; i++) lines[line + i] += weights[k] * data[start + i]
        })
      })
      for (let row = 0; row < rows.length; row++) {
        for (const { from, weights } of columns) {
          for (let c = 0; c < channels; c++) {
            let sum = 0
            for (let k = 0; k < from.length; k++) sum += weights[k] * lines[(row * width + from[k]) * channels + c]
            out[at++] = sum
          }
        }
      }
    }
  })
}

const resize = (spans: (axis: Axis) => Span[]): Op => ({
  evaluate(call) {
    const images = imagesOf(call)
    const [, height, width, channels] = images.shape
    if (!(height > 0 && width > 0 && channels > 0))
      throw new InvalidArgumentError(`input image must be of non-zero size, got shape [${images.shape}]`)
    const [tall, wide] = sizesOf(call, 1)
    return sampled(images, spans(axisOf(call.attrs, height, tall)), spans(axisOf(call.attrs, width, wide)))
  },
})

/** The pixel of the input for each position; align_corners rounds, halves away from zero. */
function nearest(attrs: Attrs, from: number, to: number): number[] {
  const { scale, half } = axisOf(attrs, from, to)
  const corners = attrs.boolean('align_corners', false)
  return Array.from({ length: to }, (_, i) => {
    const place = half ? f32(f32(i + 0.5) * scale) : f32(i * scale)
    return clamp(Math.floor(corners ? place + 0.5 : place), from - 1)
  })
}

const nearestNeighbor: Op = {
  evaluate(call) {
    const { dtype } = numeric(call, 0)
    const {
      data,
      shape: [batch, height, width, channels],
    } = imagesOf(call)
    if (!(height > 0 && width > 0 && channels > 0)) {
      throw new InvalidArgumentError('input image must be of non-zero size')
    }
    const [tall, wide] = sizesOf(call, 1)
    const [rows, columns] = [nearest(call.attrs, height, tall), nearest(call.attrs, width, wide)]
    return filled(dtype, [batch, tall, wide, channels], (out) => {
      let at = 0
      for (let b = 0; b < batch; b++) {
        for (const y of rows) {
          for (const x of columns) {
            const pixel = ((b * height + y) * width + x) * channels
            for (let c = 0; c < channels; c++) out[at++] = data[pixel + c]
          }
        }
      }
    })
  },
}

/** Spans of a kernel laid around each position; with antialias it is as wide as the image shrinks. */
function translated(from: number, to: number, scale: number, translation: number, call: Call): Span[] {
  const name = call.attrs.string('kernel_type', 'lanczos3')
  const kernel = KERNELS[name]
  if (kernel === undefined) throw new InvalidArgumentError(`Unrecognized kernel type: ${name}`)
  if (!(scale > 0)) throw new InvalidArgumentError(`Scale must be greater than zero: ${scale}`)
  const inverse = f32(1 / scale)
  const shift = f32(-inverse * translation)
  const stretch = call.attrs.boolean('antialias', true) ? Math.max(inverse, 1) : 1
  const reach = f32(kernel.radius * stretch)
  return Array.from({ length: to }, (_, i) => {
    const place = f32(f32(f32(i + 0.5) * inverse) + shift)
    if (place < 0 || place > from) return { from: [], weights: [] }
    const first = clamp(Math.ceil(f32(f32(place - reach) - 0.5)), from - 1)
    const last = clamp(Math.floor(f32(f32(place + reach) - 0.5)), from - 1)
    const covered = Array.from({ length: last - first + 1 }, (_, k) => first + k)
    return { from: covered, weights: normalized(covered.map((j) => kernel.at(f32((j + 0.5 - place) / stretch)))) }
  })
}

const scaleAndTranslate: Op = {
  evaluate(call) {
    const images = imagesOf(call)
    const [, height, width] = images.shape
    const [tall, wide] = sizesOf(call, 1)
    const [scale, translation] = [numeric(call, 2), numeric(call, 3)].map(({ data }) => data as NumberArray)
    if (scale.length !== 2 || translation.length !== 2) {
      throw new InvalidArgumentError('scale and translation must have 2 elements each')
    }
    const rows = translated(height, tall, scale[0], translation[0], call)
    return sampled(images, rows, translated(width, wide, scale[1], translation[1], call))
  },
}

/** Boxes [y1, x1, y2, x2] in parts of the image, each cut out of the image that `box_ind` names and resized. */
const cropAndResize: Op = {
  evaluate(call) {
    const {
      data,
      shape: [batch, height, width, channels],
    } = imagesOf(call)
    const boxes = numeric(call, 1)
    const which = integers(call, 2, 'box_index')
    const [tall, wide] = sizesOf(call, 3)
    const method = call.attrs.string('method', 'bilinear')
    const outside = call.attrs.number('extrapolation_value', 0)
    if (method !== 'bilinear' && method !== 'nearest')
      throw new InvalidArgumentError(`method must be 'bilinear' or 'nearest', got ${method}`)
    if (boxes.shape.length !== 2 || boxes.shape[1] !== 4 || boxes.shape[0] !== which.length) {
      throw new InvalidArgumentError(`boxes must be [${which.length}, 4], got [${boxes.shape}]`)
    }
    if (which.some((b) => !(b >= 0 && b < batch)))
      throw new InvalidArgumentError(`box_index has values outside [0, ${batch})`)
    const corners = boxes.data as NumberArray
    if (!corners.every(Number.isFinite)) throw new InvalidArgumentError('boxes values must be finite')
    const along = (low: number, high: number, from: number, to: number, i: number): number =>
      to > 1
        ? f32(f32(low * (from - 1)) + f32(i * f32((f32(high - low) * (from - 1)) / (to - 1))))
        : f32(0.5 * f32(low + high) * (from - 1))
    return filled('float32', [which.length, tall, wide, channels], (out) => {
      let at = 0
      which.forEach((b, box) => {
        const [y1, x1, y2, x2] = [0, 1, 2, 3].map((i) => corners[box * 4 + i])
        const pixel = (y: number, x: number, c: number) => data[((b * height + y) * width + x) * channels + c]
        for (let row = 0; row < tall; row++) {
          const y = along(y1, y2, height, tall, row)
          for (let column = 0; column < wide; column++) {
            const x = along(x1, x2, width, wide, column)
            const inside = y >= 0 && y <= height - 1 && x >= 0 && x <= width - 1
            const [top, left] = [Math.floor(y), Math.floor(x)]
            const [bottom, right] = [Math.ceil(y), Math.ceil(x)]
            for (let c = 0; c < channels; c++) {
              if (!inside) out[at++] = outside
              else if (method === 'nearest') out[at++] = pixel(Math.floor(y + 0.5), Math.floor(x + 0.5), c)
              else {
                const above = pixel(top, left, c) + (pixel(top, right, c) - pixel(top, left, c)) * (x - left)
                const below = pixel(bottom, left, c) + (pixel(bottom, right, c) - pixel(bottom, left, c)) * (x - left)
                out[at++] = above + (below - above) * (y - top)
              }
            }
          }
        }
      })
    })
  },
}

export const ops: Readonly<Record<string, Op>> = {
  ResizeBilinear: resize(linear),
  ResizeBicubic: resize(cubic),
  ResizeArea: resize(area),
  ResizeNearestNeighbor: nearestNeighbor,
  ScaleAndTranslate: scaleAndTranslate,
  CropAndResize: cropAndResize,
}
