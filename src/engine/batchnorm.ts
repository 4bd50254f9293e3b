import type { Call } from '../graph/index.ts'
import type { Tensor } from '../tensor/index.ts'
import type { Kernels } from './kernels.ts'
import type { Memory } from './memory.ts'
import type { Place } from './place.ts'

/**
 * Keras 2's LayerNormalization: a batch normalisation in training of one image in NCHW, each row of the layer's input a
 * channel of it. Null for every other use of the op.
 */
function ofImage({ inputs: [x, scale, offset], attrs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  if (x.dtype !== 'float32' || x.shape.length !== 4 || scale?.dtype !== 'float32' || offset?.dtype !== 'float32')
    return null
  if (!attrs.boolean('is_training', true) || attrs.number('exponential_avg_factor', 1) !== 1) return null
  const [batch, rows, n, width] = x.shape
  if (attrs.string('data_format', 'NHWC') !== 'NCHW' || batch !== 1 || width !== 1 || rows * n === 0) return null
  if (scale.shape.length !== 1 || scale.shape[0] !== rows || offset.shape.length !== 1 || offset.shape[0] !== rows)
    return null
  const [at, out] = [memory.address(x.data), memory.room(rows * n)]
  if (at === null || out === null) return null
  kernels.layerNorm(out.byteOffset, at, 0, 0, rows, n, attrs.number('epsilon', 0.0001))
  if (scale.data.some((factor) => factor !== 1) || offset.data.some((shift) => shift !== 0)) {
    const [factors, shifts] = [memory.address(scale.data), memory.address(offset.data)]
    if (factors === null || shifts === null) return null
    const to = out.byteOffset
    kernels.mul(to, to, factors, rows, n, n, 1, 1, 0)
    kernels.add(to, to, shifts, rows, n, n, 1, 1, 0)
  }
  return { dtype: 'float32', shape: x.shape, data: out }
}

/** Floats of an image that three kernels pass over in turn: they stay in the first cache. */
const PART = 1 << 12

/** The op outside training, channels last: (x − mean) · (scale / √(variance + epsilon)) + offset, rounded as TensorFlow does. */
function byMoments({ inputs, attrs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  const [x, ...vectors] = inputs
  if (attrs.boolean('is_training', true) || attrs.string('data_format', 'NHWC') !== 'NHWC') return null
  if (x.dtype !== 'float32' || x.shape.length !== 4 || x.data.length === 0) return null
  const n = x.shape[3]
  const floats = vectors.flatMap((vector) => (vector.dtype === 'float32' ? [vector.data] : []))
  if (floats.length !== 4 || vectors.some(({ shape }) => shape.length !== 1 || shape[0] !== n)) return null
  const [scale, offset, mean, variance] = floats
  const epsilon = Math.fround(attrs.number('epsilon', 0.0001))
  const factors = memory.room(n)
  const [at, out] = [memory.address(x.data), memory.room(x.data.length)]
  const [means, shifts] = [memory.address(mean), memory.address(offset)]
  if (factors === null || at === null || out === null || means === null || shifts === null) return null
  for (let i = 0; i < n; i++) factors[i] = Math.fround(1 / Math.sqrt(Math.fround(variance[i] + epsilon))) * scale[i]
  const rows = x.data.length / n
  const most = Math.max(1, Math.floor(PART / n))
  for (let row = 0; row < rows; row += most) {
    const [to, from, count] = [out.byteOffset + 4 * row * n, at + 4 * row * n, Math.min(most, rows - row)]
    kernels.sub(to, from, means, count, n, n, 1, 0, 1)
    kernels.mul(to, to, factors.byteOffset, count, n, n, 1, 0, 1)
    kernels.add(to, to, shifts, count, n, n, 1, 0, 1)
  }
  return { dtype: 'float32', shape: x.shape, data: out }
}

/** `twotower>LayerNorm` over the last axis. */
function layerNorm({ inputs: [x, gamma, beta], attrs }: Call, memory: Memory, kernels: Kernels): Tensor | null {
  if (x.dtype !== 'float32' || gamma.dtype !== 'float32' || beta.dtype !== 'float32') return null
  const rank = x.shape.length
  const n = gamma.data.length
  if (gamma.shape.length > rank || beta.shape.length > rank || beta.data.length !== n) return null
  const first = attrs.number('first')
  if (x.shape[rank - 1] !== n || x.data.length === 0 || (first !== rank - 1 && first !== -1)) return null
  const [at, factors, shifts] = [memory.address(x.data), memory.address(gamma.data), memory.address(beta.data)]
  const out = memory.room(x.data.length)
  if (at === null || factors === null || shifts === null || out === null) return null
  kernels.layerNorm(out.byteOffset, at, factors, shifts, x.data.length / n, n, attrs.number('epsilon'))
  return { dtype: 'float32', shape: x.shape, data: out }
}

/** Puts the kernel in place of the ops. */
export function bind(place: Place, memory: Memory, kernels: Kernels): void {
  place('twotower>LayerNorm', (call) => layerNorm(call, memory, kernels))
  for (const name of ['FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3']) {
    place(name, (call, reference) => {
      const y = ofImage(call, memory, kernels) ?? byMoments(call, memory, kernels)
      if (y === null) return null
      // The moments are read by training alone: they are computed where somebody asks.
      const outputs: Tensor[] = [y]
      for (let i = 1; i < 6; i++) {
        Object.defineProperty(outputs, i, { get: () => (reference(call) as readonly Tensor[])[i], enumerable: true })
      }
      return outputs
    })
  }
}
