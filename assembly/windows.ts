// Windows that slide along a row of an image, or the steps of a sequence, which is an image of one row: pooling, and
// convolutions that keep their channels apart. A convolution that mixes channels is a product of the windows laid side by
// side, and dense's.
import { copyEach } from './copies'
import { loadTail, madd, splat, storeTail } from './lanes'

const enum Window {
  max,
  mean,
  products,
}

/** The first place of a window that begins at `start` which is not before the image. */
// @ts-ignore: decorator
@inline
function first(start: i32, dilation: i32): i32 {
  return start < 0 ? (dilation - 1 - start) / dilation : 0
}

/** The end of its places that are not behind an image of `length`. */
// @ts-ignore: decorator
@inline
function past(start: i32, dilation: i32, size: i32, length: i32): i32 {
  return start < length ? min(size, (length - 1 - start) / dilation + 1) : 0
}

/**
 * out[count × n]: window i covers the pixels (y + u·down, start + i·stride + t·dilation), u < tall, t < size, of
 * x[height × width × n], as far as there are such. Of each channel `how` takes the largest, of none, −Infinity and NaN alone
 * float32's lowest (TensorFlow's MaxPool); the mean of those covered, NaN of none; or the sum of products with
 * w[tall × size × n]. `w` is read by products only. `out` must not overlap an input.
 */
export function slideWindows(
  out: usize, x: usize, w: usize, count: i32, n: i32, height: i32, width: i32, tall: i32, size: i32,
  y: i32, start: i32, stride: i32, down: i32, dilation: i32, how: Window,
): void {
  if (how == Window.max) slide(out, x, w, count, n, height, width, tall, size, y, start, stride, down, dilation, Window.max)
  else if (how == Window.mean)
    slide(out, x, w, count, n, height, width, tall, size, y, start, stride, down, dilation, Window.mean)
  else slide(out, x, w, count, n, height, width, tall, size, y, start, stride, down, dilation, Window.products)
}

/** `how` is known when compiling. */
// @ts-ignore: decorator
@inline
function slide(
  out: usize, x: usize, w: usize, count: i32, n: i32, height: i32, width: i32, tall: i32, size: i32,
  y: i32, start: i32, stride: i32, down: i32, dilation: i32, how: Window,
): void {
  const pixel = <usize>n << 2
  const u0 = first(y, down)
  const u1 = max(u0, past(y, down, tall, height))
  const line = x + <usize>((y + u0 * down) * width) * pixel
  const below = <usize>(down * width) * pixel
  const beside = <usize>dilation * pixel
  const none = splat(how == Window.max ? -f32.MAX_VALUE : 0)
  for (; count > 0; count--, start += stride) {
    const t0 = first(start, dilation)
    const across = max(0, past(start, dilation, size, width) - t0)
    const divisor = splat(<f32>((u1 - u0) * across))
    const from = line + <usize>(start + t0 * dilation) * pixel
    const weights = w + <usize>(u0 * size + t0) * pixel
    let c = 0
    // Sixteen channels at a time: a loop over a window's few places is short.
    for (; c + 16 <= n; c += 16, out += 64) {
      let s0 = none, s1 = none, s2 = none, s3 = none
      let row = from + (<usize>c << 2)
      let factors = weights + (<usize>c << 2)
      for (let u = u1 - u0; u > 0; u--, row += below, factors += <usize>size * pixel) {
        let p = row, q = factors
        for (let t = across; t > 0; t--, p += beside, q += pixel) {
          s0 = taken(s0, v128.load(p), q, how)
          s1 = taken(s1, v128.load(p, 16), q + 16, how)
          s2 = taken(s2, v128.load(p, 32), q + 32, how)
          s3 = taken(s3, v128.load(p, 48), q + 48, how)
        }
      }
      v128.store(out, finished(s0, divisor, how))
      v128.store(out, finished(s1, divisor, how), 16)
      v128.store(out, finished(s2, divisor, how), 32)
      v128.store(out, finished(s3, divisor, how), 48)
    }
    for (; c < n; c += 4) {
      const rest = n - c
      let sum = none
      let row = from + (<usize>c << 2)
      let factors = weights + (<usize>c << 2)
      for (let u = u1 - u0; u > 0; u--, row += below, factors += <usize>size * pixel) {
        let p = row, q = factors
        for (let t = across; t > 0; t--, p += beside, q += pixel) {
          if (rest >= 4) sum = taken(sum, v128.load(p), q, how)
          else if (how == Window.products) sum = madd(loadTail(p, rest, none), loadTail(q, rest, none), sum)
          else sum = taken(sum, loadTail(p, rest, none), q, how)
        }
      }
      sum = finished(sum, divisor, how)
      if (rest >= 4) v128.store(out, sum)
      else storeTail(out, sum, rest)
      out += rest >= 4 ? 16 : <usize>rest << 2
    }
  }
}

// @ts-ignore: decorator
@inline
function taken(so: v128, v: v128, factors: usize, how: Window): v128 {
  if (how == Window.max) return f32x4.pmax(so, v)
  return how == Window.mean ? f32x4.add(so, v) : madd(v, v128.load(factors), so)
}

// @ts-ignore: decorator
@inline
function finished(sum: v128, divisor: v128, how: Window): v128 {
  return how == Window.mean ? f32x4.div(sum, divisor) : sum
}

/**
 * out[count × tall·size·n] = the pixels that each window covers, side by side, zeros where there are none: what a
 * convolution multiplies by its filter. As `slideWindows` for the rest.
 */
export function layWindows(
  out: usize, x: usize, count: i32, n: i32, height: i32, width: i32, tall: i32, size: i32,
  y: i32, start: i32, stride: i32, down: i32, dilation: i32,
): void {
  const pixel = <usize>n << 2
  const line = <usize>size * pixel
  const window = <usize>tall * line
  // Those from `left` to before `right` are in the image from side to side.
  const span = (size - 1) * dilation + 1
  const left = dilation == 1 ? min(count, start < 0 ? (stride - 1 - start) / stride : 0) : count
  const right = max(left, width - span < start ? 0 : min(count, (width - span - start) / stride + 1))
  for (let u = 0, row = y; u < tall; u++, row += down, out += line) {
    let o = out
    if (row < 0 || row >= height) {
      for (let i = 0; i < count; i++, o += window) clear(o, line)
      continue
    }
    const from = x + <usize>(row * width) * pixel
    for (let i = 0; i < left; i++, o += window) partly(o, from, pixel, width, size, start + i * stride, dilation)
    o = copyEach(o, from + <usize>(start + left * stride) * pixel, right - left, line, window, <usize>stride * pixel)
    for (let i = right; i < count; i++, o += window) partly(o, from, pixel, width, size, start + i * stride, dilation)
  }
}

/** A row of a window that begins at column `start` of a row of the image. */
function partly(out: usize, x: usize, pixel: usize, width: i32, size: i32, start: i32, dilation: i32): void {
  for (let t = 0, column = start; t < size; t++, column += dilation, out += pixel) {
    if (column < 0 || column >= width) clear(out, pixel)
    else copyEach(out, x + <usize>column * pixel, 1, pixel, 0, 0)
  }
}

/** Zeros for `bytes`, a multiple of 4. */
function clear(out: usize, bytes: usize): void {
  const end = out + (bytes & ~15)
  for (; out < end; out += 16) v128.store(out, splat(0))
  if (bytes & 8) {
    store<u64>(out, 0)
    out += 8
  }
  if (bytes & 4) store<u32>(out, 0)
}
