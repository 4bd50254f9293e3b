import { InvalidArgumentError } from '../errors.ts'
import type { Call, Op } from '../graph/index.ts'
import {
  type ArrayDType,
  fromBfloat16,
  halfEven,
  type NumberArray,
  type Shape,
  sizeOf,
  type Tensor,
  tensor,
  toBfloat16,
} from '../tensor/index.ts'
import { filled, numeric } from './elementwise.ts'

// Floats as the integers of quantized types and back, after core/kernels/{quantize_op,dequantize_op}.cc and
// quantization_utils.h. A quantized type is here the integer type of its width; every step is rounded to float32.

const f32 = Math.fround

/** The least and the largest value of each type. */
const LIMITS: Readonly<Partial<Record<ArrayDType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
}

type Mode = 'MIN_COMBINED' | 'MIN_FIRST' | 'SCALED'

/** A range for the whole tensor, or one for each slice along `axis`. */
interface Slices {
  readonly count: number
  /** How many elements of a slice lie together. */
  readonly inner: number
}

function slicesOf(call: Call, shape: Shape): Slices {
  const axis = call.attrs.number('axis', -1)
  if (axis >= shape.length) {
    throw new InvalidArgumentError(`Axis must be less than input dimension (${shape.length}), got ${axis}`)
  }
  const slices =
    axis < 0 ? { count: 1, inner: sizeOf(shape) } : { count: shape[axis], inner: sizeOf(shape.slice(axis + 1)) }
  for (const i of [1, 2]) {
    const { length } = numeric(call, i).data
    if (length !== slices.count) {
      throw new InvalidArgumentError(
        `${i === 1 ? 'min' : 'max'}_range must have ${slices.count} elements, got ${length}`,
      )
    }
  }
  if (slices.count !== 1 && call.attrs.string('mode', 'MIN_COMBINED') === 'MIN_FIRST') {
    throw new InvalidArgumentError('MIN_FIRST mode is not implemented with axis != -1.')
  }
  return slices
}

function limitsOf(dtype: string): readonly [number, number] {
  const limits = LIMITS[dtype as ArrayDType]
  if (limits === undefined) throw new TypeError(`${dtype} is not the type of quantized numbers`)
  return limits
}

/** Writes `each(i, slice's function)` for all elements. */
function eachSlice<F>(
  { count, inner }: Slices,
  size: number,
  of: (slice: number) => F,
  each: (i: number, f: F) => void,
): void {
  const all = Array.from({ length: count }, (_, slice) => of(slice))
  for (let i = 0; i < size; i++) each(i, all[count === 1 ? 0 : Math.floor(i / inner) % count])
}

/** What a quantized number of the range stands for. */
function floatOf(
  mode: Mode,
  narrow: boolean,
  [low, high]: readonly [number, number],
  min: number,
  max: number,
): (q: number) => number {
  if (mode === 'SCALED') {
    const least = low + (narrow ? 1 : 0)
    const scale = low === 0 ? f32(max / f32(high)) : Math.max(f32(min / f32(least)), f32(max / f32(high)))
    return (q) => f32(f32(q) * scale)
  }
  if (mode === 'MIN_COMBINED') {
    const half = low === 0 ? 0 : f32(f32(f32(f32(high) - low) + 1) / 2)
    const scale = f32(f32(max - min) / f32(f32(high) - low))
    return (q) => f32(f32(f32(f32(q) + half) * scale) + min)
  }
  const scale = f32(f32(max - min) / (high - low))
  const first = max === min ? min : f32(roundAway(f32(min / scale)) * scale)
  return (q) => f32(f32(f32(f32(q) - low) * scale) + first)
}

const roundAway = (x: number): number => Math.sign(x) * Math.floor(Math.abs(x) + 0.5)

const dequantize: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    const limits = limitsOf(x.dtype)
    const slices = slicesOf(call, x.shape)
    const [mins, maxs] = [1, 2].map((i) => numeric(call, i).data as NumberArray)
    const dtype = call.attrs.dtype('dtype', 'float32') as ArrayDType
    const [mode, narrow] = [
      call.attrs.string('mode', 'MIN_COMBINED') as Mode,
      call.attrs.boolean('narrow_range', false),
    ]
    return filled(dtype, x.shape, (out) => {
      const to = out as NumberArray
      const from = x.data as NumberArray
      eachSlice(
        slices,
        from.length,
        (s) => floatOf(mode, narrow, limits, mins[s], maxs[s]),
        (i, f) => {
          to[i] = dtype === 'bfloat16' ? fromBfloat16(toBfloat16(f(from[i]))) : f(from[i])
        },
      )
    })
  },
}

interface Quantized {
  readonly min: number
  readonly max: number
  readonly of: (x: number) => number
}

/** The quantized numbers of a range, which is widened so that it holds zero and is not empty. */
function quantizedIn(
  call: Call,
  mode: Mode,
  [low, high]: readonly [number, number],
  min: number,
  max: number,
): Quantized {
  if (max < min) throw new InvalidArgumentError('input_max_range must be larger than input_min_range.')
  const from = Math.min(0, min)
  const least = f32(Math.max(1, Math.abs(min), Math.abs(max)) * f32(call.attrs.number('ensure_minimum_range', 0.01)))
  const to = Math.max(0, max, f32(from + least))
  const clip = (x: number, a: number, b: number) => Math.max(Math.min(x, b), a)
  if (mode === 'SCALED') {
    const bottom = low + (call.attrs.boolean('narrow_range', false) ? 1 : 0)
    const most = 3.4028234663852886e38
    const scale = Math.min(bottom * from > 0 ? f32(bottom / from) : most, high * to > 0 ? f32(f32(high) / to) : most)
    const [a, b] = [f32(bottom / scale), f32(f32(high) / scale)]
    const round = call.attrs.string('round_mode', 'HALF_AWAY_FROM_ZERO') === 'HALF_TO_EVEN' ? halfEven : roundAway
    return { min: a, max: b, of: (x) => round(f32(clip(x, a, b) * scale)) }
  }
  const scale = f32((high - low) / f32(to - from))
  if (mode === 'MIN_FIRST') {
    const [first, top] = [roundAway(f32(from * scale)), Math.min(high, 2147483520)]
    return { min: from, max: to, of: (x) => clip(f32(roundAway(f32(x * scale)) - f32(first - low)), low, top) }
  }
  const half = low === 0 ? 0 : (high - low + 1) / 2
  const of = (x: number) => f32(f32(clip(x, from, to) - from) * scale)
  return { min: from, max: to, of: (x) => (low === 0 ? Math.trunc(f32(of(x) + 0.5)) : roundAway(f32(of(x) - half))) }
}

const quantizeV2: Op = {
  outputs: ['output', 'output_min', 'output_max'],
  evaluate(call) {
    const x = numeric(call, 0)
    const dtype = call.attrs.dtype('T') as ArrayDType
    const limits = limitsOf(dtype)
    const slices = slicesOf(call, x.shape)
    const [mins, maxs] = [1, 2].map((i) => numeric(call, i).data as NumberArray)
    const mode = call.attrs.string('mode', 'MIN_COMBINED') as Mode
    const ranges: Quantized[] = []
    const output = filled(dtype, x.shape, (out) =>
      eachSlice(
        slices,
        x.data.length,
        (s) => {
          const range = quantizedIn(call, mode, limits, mins[s], maxs[s])
          ranges.push(range)
          return range.of
        },
        (i, of) => {
          ;(out as NumberArray)[i] = of((x.data as NumberArray)[i])
        },
      ),
    )
    const shape = slices.count === 1 ? [] : [slices.count]
    const limit = (of: (range: Quantized) => number): Tensor => tensor('float32', shape, Float32Array.from(ranges, of))
    return [output, limit(({ min }) => min), limit(({ max }) => max)]
  },
}

export const ops: Readonly<Record<string, Op>> = { Dequantize: dequantize, QuantizeV2: quantizeV2 }
