import { floats, random } from './random.mjs'

/**
 * A dense layer: `weights` float32[k, n] row-major, `bias` float32[n], ReLU after it or nothing.
 * @typedef {{ k: number, n: number, weights: Float32Array, bias: Float32Array, relu: boolean }} Layer
 * @typedef {{ name: string, width: number, layers: readonly Layer[], flops: number }} Tower
 */

/** A tower of random layers, ReLU between them; `flops` is of one row: a multiply and an add a weight. */
function tower(widths) {
  const generator = random(widths[0])
  const layers = widths.slice(1).map((n, i) => {
    const k = widths[i]
    const weights = floats(generator, k * n, Math.sqrt(3 / k))
    return { k, n, weights, bias: floats(generator, n, 0.1), relu: i < widths.length - 2 }
  })
  const flops = layers.reduce((sum, { k, n }) => sum + 2 * k * n, 0)
  return { name: widths.join('-'), width: widths[0], layers, flops }
}

/** @type {readonly Tower[]} */
export const TOWERS = [tower([128, 256, 128, 64]), tower([512, 1024, 512, 256])]

/** The rows that all contenders embed. */
export const rowsFor = ({ width }, batch) => floats(random(batch + width), batch * width)
