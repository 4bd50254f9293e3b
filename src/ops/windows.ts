import { InvalidArgumentError } from '../errors.ts'
import type { Attrs } from '../graph/index.ts'
import type { Shape } from '../tensor/index.ts'

// How windows slide over the spatial dimensions of an image or a volume, after core/framework/kernel_shape_util.cc.

/** The size of each dimension of an image by its name, or the step between neighbours along it. */
export interface Image {
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** The four entries of `list` by name, in the order of the data format. */
export function imageOf(list: readonly number[], format: string, what: string): Image {
  if (list.length !== 4) throw new InvalidArgumentError(`${what} must be 4-dimensional: [${list}]`)
  const [batch, a, b, c] = list
  return format === 'NCHW' ? { batch, channels: a, height: b, width: c } : { batch, height: a, width: b, channels: c }
}

/** The shape of `image` in the order of the data format. */
export const shapeOf = ({ batch, height, width, channels }: Image, format: string): Shape =>
  format === 'NCHW' ? [batch, channels, height, width] : [batch, height, width, channels]

/** The windows along one dimension: window i covers elements start + i·stride + j·dilation for j < size, where there are any. */
export interface Windows {
  readonly count: number
  readonly size: number
  readonly start: number
  readonly stride: number
  readonly dilation: number
}

/** Windows of `sizes` over the height and the width of an image of `shape`. */
export function windowsOf(
  attrs: Attrs,
  shape: Image,
  sizes: Image,
  format: string,
): { rows: Windows; columns: Windows } {
  const strides = imageOf(attrs.numbers('strides'), format, 'strides')
  const dilations = imageOf(attrs.numbers('dilations', [1, 1, 1, 1]), format, 'dilations')
  if (strides.batch !== 1 || strides.channels !== 1) {
    throw new InvalidArgumentError('Current implementation does not support strides in the batch and depth dimensions.')
  }
  if (dilations.batch !== 1 || dilations.channels !== 1) {
    throw new InvalidArgumentError(
      'Current implementation does not support dilations in the batch and depth dimensions.',
    )
  }
  const padding = attrs.string('padding')
  const explicit = attrs.numbers('explicit_paddings', [])
  if (padding === 'EXPLICIT' && explicit.length !== 8) {
    throw new InvalidArgumentError(`explicit_paddings must have 8 values, got ${explicit.length}`)
  }
  const first = format === 'NCHW' ? 4 : 2
  const along = (name: 'height' | 'width', at: number): Windows =>
    windowsAlong(shape[name], sizes[name], strides[name], dilations[name], padding, explicit.slice(at, at + 2))
  return { rows: along('height', first), columns: along('width', first + 2) }
}

/** Windows of `size` elements along one dimension of `length`. */
export function windowsAlong(
  length: number,
  size: number,
  stride: number,
  dilation: number,
  padding: string,
  explicit: readonly number[],
): Windows {
  if (stride <= 0 || dilation <= 0)
    throw new InvalidArgumentError('Inner strides and dilations should be larger than 0.')
  const span = (size - 1) * dilation + 1
  const margins = marginsOf(padding, length, span, stride, explicit)
  // C's division: a stride that reaches past the filter makes none of what would be less than none.
  const count = Math.trunc((length + margins[0] + margins[1] - span + stride) / stride) + 0
  if (count < 0) {
    throw new InvalidArgumentError(
      `Computed output size would be negative: ${count} [input_size: ${length}, effective_filter_size: ${span}, stride: ${stride}]`,
    )
  }
  return { count, size, start: -margins[0], stride, dilation }
}

/** What is added before and after; SAME puts the odd one after. */
function marginsOf(
  padding: string,
  length: number,
  span: number,
  stride: number,
  explicit: readonly number[],
): readonly number[] {
  if (padding === 'VALID') return [0, 0]
  if (padding === 'EXPLICIT') return explicit
  if (padding !== 'SAME') throw new InvalidArgumentError(`padding ${padding} is not one of SAME, VALID, EXPLICIT`)
  const needed = Math.max(0, (Math.ceil(length / stride) - 1) * stride + span - length)
  return [Math.floor(needed / 2), Math.ceil(needed / 2)]
}

/** Calls `each` with every element (and its place in the window) that window `i` covers of `length`. */
export function forEachCovered(
  { size, start, stride, dilation }: Windows,
  i: number,
  length: number,
  each: (element: number, place: number) => void,
): void {
  for (let place = 0; place < size; place++) {
    const element = start + i * stride + place * dilation
    if (element >= 0 && element < length) each(element, place)
  }
}
