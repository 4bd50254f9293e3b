import { InvalidArgumentError } from '../errors.ts'
import type { Attrs, Op } from '../graph/index.ts'
import { describe, type Tensor, tensor, unpackPanels } from '../tensor/index.ts'
import { ACTIVATIONS, type Activation } from './activations.ts'

// Ops that no export has: lower/ makes them of several, and the kernels run them. What they mean is here.

/**
 * What a layer's node says that becomes of its sums; nothing where it names no activation.
 * @throws {InvalidArgumentError} for one that there is not: a newer version's
 */
export function activationOf(attrs: Attrs): Activation {
  if (!attrs.has('activation')) return (x) => x
  const name = attrs.string('activation')
  if (Object.hasOwn(ACTIVATIONS, name)) return ACTIVATIONS[name]
  throw new InvalidArgumentError(`there is no activation "${name}": update twotower`)
}

/** activation(x[rows, k] · W[k, n] + bias[n]), W in panels as tensor/panels.ts lays them out; without an activation none. */
const dense: Op = {
  evaluate({ inputs: [x, panels, bias], attrs }) {
    const [k, n] = [attrs.number('k'), attrs.number('n')]
    const values = rowsOf(x, k)
    const weights = unpackPanels(panels.data as Float32Array, k, n)
    const shift = bias === undefined ? null : (bias.data as Float32Array)
    const activate = activationOf(attrs)
    const alpha = attrs.number('alpha', 0)
    const [rows] = x.shape
    const out = new Float32Array(rows * n)
    for (let r = 0; r < rows; r++) {
      for (let j = 0; j < n; j++) {
        let sum = shift === null ? 0 : shift[j]
        for (let i = 0; i < k; i++) sum += values[r * k + i] * weights[i * n + j]
        out[r * n + j] = activate(sum, alpha)
      }
    }
    return tensor('float32', [rows, n], out)
  },
}

/** The elements of a layer's input, float32[rows, k]. */
export function rowsOf(x: Tensor, k: number): Float32Array {
  if (x.dtype === 'float32' && x.shape.length === 2 && x.shape[1] === k) return x.data
  throw new InvalidArgumentError(`Matrix size-incompatible: the layer takes float32[rows, ${k}], got ${describe(x)}`)
}

/** x / √(max(Σ x², epsilon)) along the last axis. */
const l2Normalize: Op = {
  evaluate({ inputs: [x], attrs }) {
    if (x.dtype !== 'float32' || x.shape.length === 0)
      throw new InvalidArgumentError(`must be float32 with an axis, got ${describe(x)}`)
    const width = x.shape[x.shape.length - 1]
    const epsilon = attrs.number('epsilon')
    const out = new Float32Array(x.data.length)
    for (let start = 0; start < out.length; start += width) {
      let sum = 0
      for (let i = start; i < start + width; i++) sum += x.data[i] * x.data[i]
      const scale = 1 / Math.sqrt(Math.max(sum, epsilon))
      for (let i = start; i < start + width; i++) out[i] = x.data[i] * scale
    }
    return tensor('float32', x.shape, out)
  },
}

export const ops: Readonly<Record<string, Op>> = {
  'twotower>Dense': dense,
  'twotower>L2Normalize': l2Normalize,
}
