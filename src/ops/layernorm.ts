import { InvalidArgumentError } from '../errors.ts'
import type { Op } from '../graph/index.ts'
import { describe, sizeOf, tensor } from '../tensor/index.ts'

/**
 * (x − mean) / √(variance + epsilon) · gamma + beta, the moments over the axes from `first` to `last`, the variance biased;
 * gamma and beta have an element each of the last axis. Sums are float32: where the squares overflow, beta is left.
 */
const layerNorm: Op = {
  evaluate({ inputs: [x, gamma, beta], attrs }) {
    const rank = x.shape.length
    const [first, last] = ['first', 'last']
      .map((name) => attrs.number(name))
      .map((axis) => (axis < 0 ? axis + rank : axis))
    const width = gamma.data.length
    const fits = x.dtype === 'float32' && x.shape[rank - 1] === width && gamma.shape.length <= rank
    if (!fits || beta.shape.length > rank || first < 0 || last < first || last >= rank) {
      throw new InvalidArgumentError(`must be float32[…, ${width}] with axes ${first} to ${last}, got ${describe(x)}`)
    }
    const [factors, shifts] = [gamma.data as Float32Array, beta.data as Float32Array]
    const [count, inner] = [sizeOf(x.shape.slice(first, last + 1)), sizeOf(x.shape.slice(last + 1))]
    const epsilon = attrs.number('epsilon')
    const out = new Float32Array(x.data.length)
    for (let block = 0; block < out.length; block += count * inner) {
      for (let start = block; start < block + inner; start++) {
        let [mean, variance] = [0, 0]
        for (let i = 0; i < count; i++) mean = Math.fround(mean + x.data[start + i * inner])
        mean = Math.fround(mean / count)
        for (let i = 0; i < count; i++) variance = Math.fround(variance + (x.data[start + i * inner] - mean) ** 2)
        const scale = 1 / Math.sqrt(variance / count + epsilon)
        for (let at = start; at < block + count * inner; at += inner)
          out[at] = (x.data[at] - mean) * scale * factors[at % width] + shifts[at % width]
      }
    }
    return tensor('float32', x.shape, out)
  },
}

export const ops: Readonly<Record<string, Op>> = { 'twotower>LayerNorm': layerNorm }
