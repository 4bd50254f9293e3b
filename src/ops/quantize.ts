import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Call, Op } from '../graph/index.ts'
import { type DType, halfEven, isFloat, type NumberArray, sizeOf, type Tensor } from '../tensor/index.ts'
import { filled, type NumericTensor, numeric } from './elementwise.ts'

// Numbers as they would be after 8 bits, after core/kernels/{fake_quant_ops_functor,quantize_and_dequantize_op}.h. Every
// step is rounded as its dtype is, float32 but where a double is taken there and back, because which of two neighbouring levels a number falls on hangs on it.

const f32 = Math.fround

/** Levels that lie on zero: `low` and `high` moved so that zero is one of them. */
interface Levels {
  readonly low: number
  readonly high: number
  readonly step: number
}

function nudged(min: number, max: number, attrs: Attrs): Levels {
  const bits = attrs.number('num_bits', 8)
  if (bits < 2 || bits > 16) throw new InvalidArgumentError(`num_bits must be between 2 and 16, inclusive: ${bits}`)
  const first = attrs.boolean('narrow_range', false) ? 1 : 0
  const last = 2 ** bits - 1
  const step = f32(f32(max - min) / (last - first))
  const zero = f32(first - f32(min / step))
  const place = zero < first ? first : zero > last ? last : Math.floor(zero + 0.5)
  return { low: f32((first - place) * step), high: f32((last - place) * step), step }
}

/** Elements `start`, `start + by`, … of `from` on the levels between `min` and `max`, which are none where both are zero. */
function fake(from: NumberArray, to: NumberArray, start: number, by: number, [min, max]: number[], attrs: Attrs): void {
  if (min === 0 && max === 0) return
  const { low, high, step } = nudged(min, max, attrs)
  const inverse = f32(1 / step)
  const zero = Math.floor(f32(f32(-low * inverse) + 0.5))
  for (let i = start; i < from.length; i += by) {
    const inside = f32(Math.max(Math.min(from[i], high), low) - low)
    to[i] = f32(Math.floor(f32(f32(f32(inside * inverse) - zero) + 0.5)) * step)
  }
}

const perTensor = (limits: (call: Call) => number[]): Op => ({
  evaluate(call) {
    const x = numeric(call, 0)
    const range = limits(call)
    return filled(x.dtype, x.shape, (out) => fake(x.data as NumberArray, out as NumberArray, 0, 1, range, call.attrs))
  },
})

const perChannel: Op = {
  evaluate(call) {
    const [x, min, max] = [0, 1, 2].map((i) => numeric(call, i))
    const channels = x.shape[x.shape.length - 1]
    if (min.data.length !== channels || max.data.length !== channels)
      throw new InvalidArgumentError(
        `min and max must have ${channels} elements, got [${min.shape}] and [${max.shape}]`,
      )
    return filled(x.dtype, x.shape, (out) => {
      for (let c = 0; c < channels; c++) {
        const range = [Number(min.data[c]), Number(max.data[c])]
        fake(x.data as NumberArray, out as NumberArray, c, channels, range, call.attrs)
      }
    })
  },
}

const scalars = (call: Call): number[] => [1, 2].map((i) => Number(numeric(call, i).data[0]))

/** To `bits` bits and back: one scale for `min` and `max`, whichever of the two needs the wider steps. */
function throughBits(
  [min, max]: number[],
  bits: number,
  given: boolean,
  attrs: Attrs,
  dtype: DType,
): (x: number) => number {
  const isDouble = dtype === 'float64'
  const f = isDouble ? (x: number) => x : f32
  const limit = isDouble ? Number.MAX_VALUE : LARGEST
  const signed = attrs.boolean('signed_input', true)
  const narrow = attrs.boolean('narrow_range', false)
  const least = signed ? -(2 ** (bits - 1)) + (narrow ? 1 : 0) : 0
  const most = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1
  const below = least * min > 0 ? f(least / min) : limit
  const above = most * max > 0 ? f(most / max) : limit
  const byMin = below < above
  const scale = byMin ? below : above
  const inverse = byMin ? f(min / least) : f(max / most)
  const [low, high] = byMin ? [min, f(most * inverse)] : [f(least * inverse), max]
  const round =
    attrs.string('round_mode', 'HALF_TO_EVEN') === 'HALF_UP' ? (x: number) => Math.floor(f(x + 0.5)) : halfEven
  return (x) => f(round(f((given ? Math.max(Math.min(x, high), low) : x) * scale)) * inverse)
}
const LARGEST = 3.4028234663852886e38

function limitsOf(data: NumberArray, start: number, count: number, inner: number, channels: number): number[] {
  let [min, max] = [Infinity, -Infinity]
  for (let i = start; i < data.length; i += inner * channels) {
    for (let j = i; j < i + count; j++) {
      if (data[j] < min) min = data[j]
      if (data[j] > max) max = data[j]
    }
  }
  return [min, max]
}

/** `axis` has a range for each slice along it. */
function quantizeAndDequantize(call: Call, x: NumericTensor, bits: number): Tensor {
  const { attrs } = call
  if (!isFloat(x.dtype)) throw new TypeError(`input 0 must be of a float type, got ${x.dtype}`)
  const given = attrs.boolean('range_given', false)
  if (bits <= 0 || bits >= 64) throw new InvalidArgumentError(`num_bits is out of range: ${bits}`)
  const axis = attrs.number('axis', -1)
  if (axis < -1 || axis >= x.shape.length)
    throw new InvalidArgumentError(`Axis should be less than ${x.shape.length}: ${axis}`)
  const channels = axis === -1 ? 1 : x.shape[axis]
  const inner = axis === -1 ? x.data.length : sizeOf(x.shape.slice(axis + 1))
  const data = x.data as NumberArray
  const [mins, maxs] = [numeric(call, 1), numeric(call, 2)]
  return filled(x.dtype, x.shape, (out) => {
    for (let c = 0; c < channels; c++) {
      const range = given
        ? [Number(mins.data[c]), Number(maxs.data[c])]
        : limitsOf(data, c * inner, inner, inner, channels)
      if (given && !(range[0] <= range[1]))
        throw new InvalidArgumentError(`Invalid range: input_min ${range[0]} > input_max ${range[1]}`)
      const through = throughBits(range, bits, given, attrs, x.dtype)
      for (let i = c * inner; i < data.length; i += inner * channels) {
        for (let j = i; j < i + inner; j++) out[j] = through(data[j])
      }
    }
  })
}

const byAttribute: Op = {
  evaluate: (call) => quantizeAndDequantize(call, numeric(call, 0), call.attrs.number('num_bits', 8)),
}
const byInput: Op = {
  evaluate: (call) => quantizeAndDequantize(call, numeric(call, 0), Number(numeric(call, 3).data[0])),
}

export const ops: Readonly<Record<string, Op>> = {
  FakeQuantWithMinMaxArgs: perTensor(({ attrs }) => [f32(attrs.number('min', -6)), f32(attrs.number('max', 6))]),
  FakeQuantWithMinMaxVars: perTensor(scalars),
  FakeQuantWithMinMaxVarsPerChannel: perChannel,
  QuantizeAndDequantizeV2: byAttribute,
  QuantizeAndDequantizeV3: byInput,
  QuantizeAndDequantizeV4: byAttribute,
}
