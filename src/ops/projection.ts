import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { isBig, isFloat, type NumberArray } from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'
import { integerVector } from './integers.ts'

// Images seen through a projective transform, rotated or sheared or moved, after core/kernels/image/image_ops.{h,cc}.

const f = Math.fround

/** A coordinate outside of `size` pixels as one inside. */
const FILLS: Readonly<Record<string, (at: number, size: number) => number>> = {
  CONSTANT: (at) => at,
  NEAREST: (at, size) => clamp(at, size),
  REFLECT(at, size) {
    const twice = 2 * size
    let to = at
    if (at < 0) {
      if (size <= 1) return 0
      if (to < twice) to = f(twice * Math.trunc(f(-to / twice)) + to)
      to = to < -size ? f(to + twice) : f(-to - 1)
    } else if (at > size - 1) {
      if (size <= 1) return 0
      to = f(to - twice * Math.trunc(f(to / twice)))
      if (to >= size) to = f(twice - to - 1)
    }
    return clamp(to, size)
  },
  WRAP(at, size) {
    if (at >= 0 && at <= size - 1) return clamp(at, size)
    if (size <= 1) return 0
    const turns = Math.trunc(f(Math.abs(at) / (size - 1)))
    return clamp(at < 0 ? f(at + size * (turns + 1)) : f(at - size * turns), size)
  },
}

const clamp = (at: number, size: number): number => Math.min(Math.max(at, 0), size - 1)

/** C's round: half away from zero. */
const nearest = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)

/** Height and width of the result. */
function sizeOf(call: Call): readonly [number, number] {
  const size = integerVector(call, 2, 'output_shape')
  if (size.length !== 2) throw new InvalidArgumentError(`output_shape must have two elements, got ${size.length}`)
  if (!(size[0] > 0 && size[1] > 0)) throw new InvalidArgumentError(`output dimensions must be positive, got [${size}]`)
  return [size[0], size[1]]
}

const transform: Op = {
  evaluate(call) {
    const images = numeric(call, 0)
    const transforms = numeric(call, 1)
    if (isBig(images.dtype)) throw new TypeError(`${images.dtype} is not a type of this op`)
    if (images.shape.length !== 4) throw new InvalidArgumentError('Input images must have rank 4')
    const [batch, height, width, channels] = images.shape
    const [count, columns] = transforms.shape
    if (transforms.shape.length !== 2 || columns !== 8 || (count !== 1 && count !== batch))
      throw new InvalidArgumentError(`Input transform should be num_images x 8 or 1 x 8: [${transforms.shape}]`)
    const fills = FILLS[call.attrs.string('fill_mode', 'CONSTANT')]
    const interpolation = call.attrs.string('interpolation')
    if (fills === undefined || !/^(NEAREST|BILINEAR)$/.test(interpolation))
      throw new InvalidArgumentError(`Invalid interpolation ${interpolation} or fill_mode`)
    const outside = call.inputs.length > 3 ? Number(numeric(call, 3).data[0]) : 0
    const [rows, across] = sizeOf(call)
    const [data, t] = [images.data as NumberArray, transforms.data as NumberArray]
    return filled(images.dtype, [batch, rows, across, channels], (out) => {
      let at = 0
      for (let b = 0; b < batch; b++) {
        const first = count === 1 ? 0 : 8 * b
        const line = (k: number, x: number, y: number) =>
          f(f(f(t[first + k] * x) + f(t[first + k + 1] * y)) + (k === 6 ? 1 : t[first + k + 2]))
        const pixel = (y: number, x: number, c: number) =>
          y >= 0 && y < height && x >= 0 && x < width ? data[((b * height + y) * width + x) * channels + c] : outside
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < across; column++) {
            const scale = line(6, column, row)
            const x = fills(f(line(0, column, row) / scale), width)
            const y = fills(f(line(3, column, row) / scale), height)
            for (let c = 0; c < channels; c++) {
              if (scale === 0) out[at++] = outside
              else if (interpolation === 'NEAREST') out[at++] = pixel(nearest(y), nearest(x), c)
              else {
                const value = between(x, y, (py, px) => pixel(py, px, c))
                out[at++] = isFloat(images.dtype) ? value : Math.trunc(value)
              }
            }
          }
        }
      }
    })
  },
}

/** The four pixels around a place, each by how near it is. */
function between(x: number, y: number, pixel: (y: number, x: number) => number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)]
  const row = (at: number) => f(f(f(left + 1 - x) * pixel(at, left)) + f(f(x - left) * pixel(at, left + 1)))
  return f(f(f(top + 1 - y) * row(top)) + f(f(y - top) * row(top + 1)))
}

export const ops: Readonly<Record<string, Op>> = {
  ImageProjectiveTransformV2: transform,
  ImageProjectiveTransformV3: transform,
}
