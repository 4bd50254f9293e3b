import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { type NumberArray, type Shape, sameShape, sizeOf, type Tensor } from '../tensor/index.ts'
import { ACTIVATIONS } from './activations.ts'
import { filled, type NumericTensor, numeric, unary } from './elementwise.ts'
import { activation, floats } from './stepwise.ts'

// Activations, normalisation and checks after core/kernels/{relu_op,fused_batch_norm_op,cwise_op_clip,
// check_numerics_op,data_format_ops}.*

const leakyRelu = activation('LeakyRelu', (attrs) => attrs.number('alpha', 0.2))

/** Relu and Relu6 of any number type; of integers of 64 bits in full. */
const rectifier = (name: string, most?: bigint): Op =>
  unary(
    (x) => ACTIVATIONS[name](x, 0),
    (x) => (x < 0n ? 0n : most !== undefined && x > most ? most : x),
  )

/** Which channel element `i` belongs to is (i / inner) mod channels. */
function channelsOf(shape: Shape, format: string): { readonly channels: number; readonly inner: number } {
  const axis = format.startsWith('NC') ? 1 : shape.length - 1
  return { channels: shape[axis], inner: sizeOf(shape.slice(axis + 1)) }
}

/** NaN in place of every element. */
const unknown = (t: NumericTensor): Tensor => filled(t.dtype, t.shape, (out) => (out as NumberArray).fill(Number.NaN))

/** Means and variances by channel. */
interface Moments {
  readonly mean: ArrayLike<number>
  readonly variance: ArrayLike<number>
}

/** The moments of the batch itself. */
function momentsOf(x: NumericTensor, channels: number, inner: number): Moments & { readonly count: number } {
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)]
  const count = x.data.length / channels
  const channel = (i: number) => Math.floor(i / inner) % channels
  for (let i = 0; i < x.data.length; i++) mean[channel(i)] += Number(x.data[i]) / count
  for (let i = 0; i < x.data.length; i++) variance[channel(i)] += (Number(x.data[i]) - mean[channel(i)]) ** 2 / count
  return { mean, variance, count }
}

/**
 * (x − mean) · scale / √(variance + epsilon) + offset. The moments are those that training left, or, with
 * `is_training`, the batch's own: Keras computes LayerNormalization that way, one row a channel. The moments are outputs
 * too (NaN of an empty batch; the batch's own variance with Bessel's correction, blended into the running ones by
 * `exponential_avg_factor`); what a gradient would read is the batch's own, uncorrected, and a scalar that only a GPU fills. Outside
 * training TensorFlow leaves garbage there, and we the moments.
 */
const fusedBatchNorm = (outputs: readonly string[]): Op => ({
  outputs,
  evaluate(call) {
    const { attrs } = call
    const training = attrs.boolean('is_training', true)
    const x = numeric(call, 0)
    const [scale, offset, mean, variance] = [1, 2, 3, 4].map((i) => numeric(call, i))
    if (x.shape.length !== 4 && x.shape.length !== 5) {
      throw new InvalidArgumentError(`input must be 4 or 5-dimensional [${x.shape}]`)
    }
    const { channels, inner } = channelsOf(x.shape, attrs.string('data_format', 'NHWC'))
    const factor = training ? attrs.number('exponential_avg_factor', 1) : 0
    for (const { shape } of training && factor === 1 ? [scale, offset] : [scale, offset, mean, variance]) {
      if (shape.length === 1 && shape[0] === channels) continue
      throw new InvalidArgumentError(`scale, offset, mean and variance must have ${channels} elements, got [${shape}]`)
    }
    const own = training ? momentsOf(x, channels, inner) : null
    const used: Moments = own ?? { mean: mean.data as NumberArray, variance: variance.data as NumberArray }
    const epsilon = attrs.number('epsilon', 0.0001)
    const factors = Float64Array.from(scale.data as NumberArray, (s, c) => s / Math.sqrt(used.variance[c] + epsilon))
    const y = filled(x.dtype, x.shape, (out) => {
      for (let i = 0; i < out.length; i++) {
        const c = Math.floor(i / inner) % channels
        out[i] = (Number(x.data[i]) - used.mean[c]) * factors[c] + Number(offset.data[c])
      }
    })
    let moments: Tensor[] = x.data.length > 0 ? [mean, variance] : [mean, variance].map(unknown)
    let reserved: Tensor[] = [mean, variance]
    if (own !== null) {
      reserved = [own.mean, own.variance].map((moment) =>
        filled(scale.dtype, [channels], (out) => (out as NumberArray).set(moment)),
      )
      const bessel = own.count > 1 ? own.count / (own.count - 1) : 1
      const blend = (running: NumericTensor, batch: ArrayLike<number>, correction: number): Tensor =>
        filled(scale.dtype, [channels], (out) => {
          for (let c = 0; c < channels; c++) {
            out[c] =
              x.data.length === 0
                ? Number.NaN
                : batch[c] * correction * factor + (factor === 1 ? 0 : Number(running.data[c]) * (1 - factor))
          }
        })
      moments = [blend(mean, own.mean, 1), blend(variance, own.variance, bessel)]
    }
    const kept: Tensor[] = [y, ...moments, ...reserved]
    return outputs.length === 5 ? kept : [...kept, filled(variance.dtype, [], () => {})]
  },
})

/** The bounds are scalars or of the input's shape. Where they cross, the lower one wins. */
const clip: Op = {
  evaluate(call) {
    const [x, low, high] = [numeric(call, 0), numeric(call, 1), numeric(call, 2)]
    for (const { shape } of [low, high]) {
      if (shape.length === 0 || sameShape(shape, x.shape)) continue
      throw new InvalidArgumentError(
        `clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. input shape: [${x.shape}] clip_value_min shape: [${low.shape}] clip_value_max shape: [${high.shape}]`,
      )
    }
    const at = (bound: NumericTensor, i: number) => bound.data[bound.shape.length === 0 ? 0 : i]
    return filled(x.dtype, x.shape, (out) => {
      for (let i = 0; i < out.length; i++) {
        const [value, least, most] = [x.data[i], at(low, i), at(high, i)]
        const lowered = value > most ? most : value
        out[i] = lowered < least ? least : lowered
      }
    })
  },
}

/** The input, unless it holds what is not finite. V2 tells the infinities apart. */
// A check that is stated (`with tf.control_dependencies`) and not read must fail too: TensorFlow calls the op stateful.
const checkNumerics = (signed: boolean): Op => ({
  ...floats({
    evaluate(call) {
      const x = numeric(call, 0)
      const data = x.data as NumberArray
      const found = [
        {
          name: signed ? '-Inf' : 'Inf',
          is: (v: number) => v === -Infinity || (!signed && v === Infinity),
        },
        { name: '+Inf', is: (v: number) => signed && v === Infinity },
        { name: 'NaN', is: Number.isNaN },
      ].filter(({ is }) => data.some(is))
      if (found.length === 0) return x
      const names = found.map(({ name }) => name).join(signed ? ', ' : ' and ')
      throw new InvalidArgumentError(`${call.attrs.string('message', '')} : Tensor had ${names} values`)
    },
  }),
  effect: 'assertion',
})

/** A vector of four (or two, for height and width) in another data format's order, or a matrix of such rows of two. */
const permuteFormat: Op = {
  evaluate(call) {
    const x = numeric(call, 0)
    if (x.dtype !== 'int32' && x.dtype !== 'int64')
      throw new TypeError(`input 0 must be int32 or int64, got ${x.dtype}`)
    const [from, to] = [call.attrs.string('src_format', 'NHWC'), call.attrs.string('dst_format', 'NCHW')]
    const short = x.shape[0] === from.length - 2
    const letters = (format: string) => [...format].filter((letter) => !short || (letter !== 'N' && letter !== 'C'))
    const [source, target] = [letters(from), letters(to)]
    if (x.shape.length < 1 || x.shape.length > 2 || x.shape[0] !== source.length || (x.shape[1] ?? 2) !== 2) {
      throw new InvalidArgumentError(
        `input must be a vector or matrix of ${from.length} or ${from.length - 2} rows, got [${x.shape}]`,
      )
    }
    const { data } = x
    const width = x.shape[1] ?? 1
    const order = target.map((letter) => source.indexOf(letter))
    if (order.includes(-1)) throw new InvalidArgumentError(`Destination format ${to} is no permutation of ${from}`)
    return filled(x.dtype, x.shape, (out) => {
      for (let i = 0; i < out.length; i++) out[i] = data[order[Math.floor(i / width)] * width + (i % width)]
    })
  },
}

const BATCH_NORM = ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2']

export const ops: Readonly<Record<string, Op>> = {
  Relu: rectifier('Relu'),
  Relu6: rectifier('Relu6', 6n),
  Elu: activation('Elu'),
  Selu: activation('Selu'),
  LeakyRelu: leakyRelu,
  Softplus: activation('Softplus'),
  Softsign: activation('Softsign'),
  FusedBatchNorm: fusedBatchNorm(BATCH_NORM),
  FusedBatchNormV2: fusedBatchNorm(BATCH_NORM),
  FusedBatchNormV3: fusedBatchNorm([...BATCH_NORM, 'reserve_space_3']),
  ClipByValue: clip,
  CheckNumerics: checkNumerics(false),
  CheckNumericsV2: checkNumerics(true),
  DataFormatVecPermute: permuteFormat,
}
