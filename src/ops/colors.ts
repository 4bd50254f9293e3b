import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import { isFloat, type NumberArray, sizeOf } from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'

// Colours of images after core/kernels/image/{colorspace,adjust_hue,adjust_saturation,adjust_contrast}_op.*

type Rgb = readonly [red: number, green: number, blue: number]

function floatsOf(call: Call): NumericTensor {
  const x = numeric(call, 0)
  if (!isFloat(x.dtype)) throw new TypeError(`input 0 must be of a float type, got ${x.dtype}`)
  return x
}

const scalar = (call: Call, i: number): number => Number(numeric(call, i).data[0])

/** Each pixel, of three channels, by `change`. */
const pixels = (leastRank: number, change: (call: Call) => (pixel: Rgb) => Rgb): Op => ({
  evaluate(call) {
    const x = floatsOf(call)
    if (x.shape.length < leastRank || x.shape[x.shape.length - 1] !== 3) {
      throw new InvalidArgumentError(`input must have 3 channels in at least ${leastRank} dimensions: [${x.shape}]`)
    }
    const changed = change(call)
    const data = x.data as NumberArray
    return filled(x.dtype, x.shape, (out) => {
      for (let i = 0; i < data.length; i += 3) {
        const [a, b, c] = changed([data[i], data[i + 1], data[i + 2]])
        out[i] = a
        out[i + 1] = b
        out[i + 2] = c
      }
    })
  },
})

/** The hue in [0, 1); of colours without one, 0. */
function hueOf([red, green, blue]: Rgb): number {
  const value = Math.max(red, green, blue)
  const range = value - Math.min(red, green, blue)
  if (!(range > 0)) return 0
  const norm = 1 / (6 * range)
  const hue =
    red === value ? norm * (green - blue) : green === value ? norm * (blue - red) + 2 / 6 : norm * (red - green) + 4 / 6
  return hue < 0 ? hue + 1 : hue
}

const unit = (x: number): number => Math.min(1, Math.max(0, x))

/** The colour of a hue between a least and a greatest channel. */
function colorOf(hue: number, least: number, greatest: number): Rgb {
  const h = hue * 6
  const at = (part: number) => least + (greatest - least) * unit(part)
  return [at(Math.abs(h - 3) - 1), at(2 - Math.abs(h - 2)), at(2 - Math.abs(h - 4))]
}

const toHsv = (pixel: Rgb): Rgb => {
  const value = Math.max(...pixel)
  return [hueOf(pixel), value > 0 ? (value - Math.min(...pixel)) / value : 0, value]
}

const toRgb = ([hue, saturation, value]: Rgb): Rgb => colorOf(hue, (1 - saturation) * value, value)

const adjustHue = pixels(3, (call) => {
  const delta = scalar(call, 1)
  return (pixel) => {
    const hue = hueOf(pixel) + delta
    return colorOf(hue - Math.floor(hue), Math.min(...pixel), Math.max(...pixel))
  }
})

const adjustSaturation = pixels(3, (call) => {
  const scale = scalar(call, 1)
  return (pixel) => {
    const [hue, saturation, value] = toHsv(pixel)
    return toRgb([hue, unit(saturation * scale), value])
  }
})

/** Away from the mean of each channel of each image by a factor. */
const adjustContrast: Op = {
  evaluate(call) {
    const x = floatsOf(call)
    if (x.shape.length < 3) throw new InvalidArgumentError(`input must be at least 3-D, got shape [${x.shape}]`)
    const factor = scalar(call, 1)
    const channels = x.shape[x.shape.length - 1]
    const size = sizeOf(x.shape.slice(-3))
    const data = x.data as NumberArray
    return filled(x.dtype, x.shape, (out) => {
      for (let start = 0; start < data.length; start += size) {
        for (let c = 0; c < channels; c++) {
          let mean = 0
          for (let i = start + c; i < start + size; i += channels) mean += data[i] / (size / channels)
          for (let i = start + c; i < start + size; i += channels) out[i] = (data[i] - mean) * factor + mean
        }
      }
    })
  },
}

export const ops: Readonly<Record<string, Op>> = {
  RGBToHSV: pixels(1, () => toHsv),
  HSVToRGB: pixels(1, () => toRgb),
  AdjustHue: adjustHue,
  AdjustSaturation: adjustSaturation,
  AdjustContrastv2: adjustContrast,
}
