// Normalisation of each row.
import { loadTail, madd, splat, storeTail } from './lanes'
import { squares, total } from './reduce'

/** out[rows × n] = x · 1 / √(max(Σ x², epsilon)) in each row: tf.math.l2_normalize over the last axis. `out` may be `x`. */
export function l2Normalize(out: usize, x: usize, rows: i32, n: i32, epsilon: f32): void {
  for (; rows > 0; rows--) {
    const scale = splat(<f32>1 / sqrt<f32>(max<f32>(squares(x, n, 0), epsilon)))
    let i = n
    for (; i >= 4; i -= 4, x += 16, out += 16) v128.store(out, f32x4.mul(v128.load(x), scale))
    if (i > 0) {
      storeTail(out, f32x4.mul(loadTail(x, i, scale), scale), i)
      x += <usize>i << 2
      out += <usize>i << 2
    }
  }
}

/**
 * out[rows × n] = (x − mean) / √(variance + epsilon) · gamma + beta in each row, the variance biased (÷ n): Keras's
 * LayerNormalization. `gamma` 0 means ones, `beta` 0 zeros; else n floats each. `out` may be `x`.
 */
export function layerNorm(out: usize, x: usize, gamma: usize, beta: usize, rows: i32, n: i32, epsilon: f32): void {
  for (; rows > 0; rows--) {
    const mean = total(x, n) / <f32>n
    const center = splat(mean)
    const scale = splat(<f32>1 / sqrt<f32>(squares(x, n, mean) / <f32>n + epsilon))
    let g = gamma, b = beta
    for (let i = n; i > 0; i -= 4) {
      const whole = i >= 4
      let v = f32x4.mul(f32x4.sub(whole ? v128.load(x) : loadTail(x, i, center), center), scale)
      if (gamma) {
        const factor = whole ? v128.load(g) : loadTail(g, i, center)
        v = beta ? madd(v, factor, whole ? v128.load(b) : loadTail(b, i, center)) : f32x4.mul(v, factor)
      } else if (beta) {
        v = f32x4.add(v, whole ? v128.load(b) : loadTail(b, i, center))
      }
      const bytes: usize = whole ? 16 : <usize>i << 2
      if (whole) v128.store(out, v)
      else storeTail(out, v, i)
      out += bytes
      x += bytes
      g += bytes
      b += bytes
    }
  }
}
