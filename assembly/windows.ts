// Windows that slide along the steps of a sequence: pooling, and convolutions that keep their channels apart. A convolution
// that mixes channels is a product of the windows laid side by side, and matmul's.
import { loadTail, madd, splat, storeTail } from './lanes'

const enum Window {
  max,
  mean,
  products,
}

/**
 * out[count × n]: window i covers the steps start + i·stride + t·dilation, t < size, of x[length × n], as far as there
 * are such. Of each channel `how` takes the largest, of none, −Infinity and NaN alone float32's lowest (TensorFlow's MaxPool); the mean of
 * those covered, NaN of none; or the sum of products with w[size × n]. `w` is read by products only. `out` must not
 * overlap an input.
 */
export function slideWindows(
  out: usize, x: usize, w: usize, count: i32, n: i32, length: i32,
  size: i32, start: i32, stride: i32, dilation: i32, how: Window,
): void {
  const row = <usize>n << 2
  for (; count > 0; count--, start += stride) {
    let inside = 0
    for (let t = 0, step = start; t < size; t++, step += dilation) inside += i32(step >= 0 && step < length)
    const divisor = splat(<f32>inside)
    for (let c = 0; c < n; c += 4) {
      const rest = n - c
      let sum = splat(how == Window.max ? -f32.MAX_VALUE : 0)
      const column = <usize>c << 2
      for (let t = 0, step = start; t < size; t++, step += dilation) {
        if (step < 0 || step >= length) continue
        const at = x + <usize>step * row + column
        const v = rest >= 4 ? v128.load(at) : loadTail(at, rest, splat(0))
        if (how == Window.max) sum = f32x4.pmax(sum, v)
        else if (how == Window.mean) sum = f32x4.add(sum, v)
        else {
          const factor = w + <usize>t * row + column
          sum = madd(v, rest >= 4 ? v128.load(factor) : loadTail(factor, rest, splat(0)), sum)
        }
      }
      if (how == Window.mean) sum = f32x4.div(sum, divisor)
      if (rest >= 4) v128.store(out, sum)
      else storeTail(out, sum, rest)
      out += rest >= 4 ? 16 : <usize>rest << 2
    }
  }
}

/**
 * out[count × size·n] = the steps that each window covers, side by side, zeros where there are none: what a convolution
 * multiplies by its filter. As `slideWindows` for the rest.
 */
export function layWindows(
  out: usize, x: usize, count: i32, n: i32, length: i32, size: i32, start: i32, stride: i32, dilation: i32,
): void {
  const row = <usize>n << 2
  for (; count > 0; count--, start += stride) {
    for (let t = 0, step = start; t < size; t++, step += dilation, out += row) {
      if (step < 0 || step >= length) memory.fill(out, 0, row)
      else memory.copy(out, x + <usize>step * row, row)
    }
  }
}
