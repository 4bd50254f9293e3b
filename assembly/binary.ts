// out[r, c] = a[r, c] ∘ b[r, c], out contiguous rows × n. An operand is read at p + 4 · (r · rowStride + c · step), strides
// in floats, step 0 or 1, and so one kernel covers every broadcast:
//
//   same shape            rows 1, n the size, step 1
//   a scalar              rowStride 0, step 0
//   a vector over rows    rowStride 0, step 1      (bias, gamma)
//   a column over columns rowStride 1, step 0      (norms, weights)
//   a slice of wider rows rowStride its width, step 1
//
// `out` may be an operand that is read with step 1 and row stride n; any other overlap gives wrong results.
import { loadTail, splat, storeTail } from './lanes'

const enum Binary {
  add,
  sub,
  mul,
  div,
  max,
  min,
  squaredDifference,
  divNoNan,
}

/** `op` is known when compiling. NaN in either operand gives NaN, in max and min too, as TensorFlow's do. */
// @ts-ignore: decorator
@inline
function apply(op: Binary, a: v128, b: v128): v128 {
  if (op == Binary.add) return f32x4.add(a, b)
  if (op == Binary.sub) return f32x4.sub(a, b)
  if (op == Binary.mul) return f32x4.mul(a, b)
  if (op == Binary.div) return f32x4.div(a, b)
  if (op == Binary.divNoNan) return v128.andnot(f32x4.div(a, b), f32x4.eq(b, splat(0)))
  if (op == Binary.max) return f32x4.max(a, b)
  if (op == Binary.min) return f32x4.min(a, b)
  const d = f32x4.sub(a, b)
  return f32x4.mul(d, d)
}

// @ts-ignore: decorator
@inline
function zip(
  op: Binary, out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  for (; rows > 0; rows--, a += <usize>aRow << 2, b += <usize>bRow << 2) {
    let p = a, q = b, i = n
    if (aStep == 0) {
      const s = i > 0 ? v128.load32_splat(a) : splat(0)
      if (bStep == 0) {
        const v = apply(op, s, i > 0 ? v128.load32_splat(b) : s)
        for (; i >= 4; i -= 4, out += 16) v128.store(out, v)
        if (i > 0) storeTail(out, v, i)
      } else {
        for (; i >= 4; i -= 4, out += 16, q += 16) v128.store(out, apply(op, s, v128.load(q)))
        if (i > 0) storeTail(out, apply(op, s, loadTail(q, i, s)), i)
      }
    } else if (bStep == 0) {
      const s = i > 0 ? v128.load32_splat(b) : splat(0)
      for (; i >= 4; i -= 4, out += 16, p += 16) v128.store(out, apply(op, v128.load(p), s))
      if (i > 0) storeTail(out, apply(op, loadTail(p, i, s), s), i)
    } else {
      for (; i >= 4; i -= 4, out += 16, p += 16, q += 16) v128.store(out, apply(op, v128.load(p), v128.load(q)))
      if (i > 0) storeTail(out, apply(op, loadTail(p, i, splat(1)), loadTail(q, i, splat(1))), i)
    }
    if (i > 0) out += <usize>i << 2
  }
}

export function add(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.add, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}
export function sub(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.sub, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}
export function mul(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.mul, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}
export function div(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.div, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}
/** 0 where b is 0 */
export function divNoNan(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.divNoNan, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}
export function maximum(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.max, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}
export function minimum(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.min, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}
/** (a − b)² */
export function squaredDifference(
  out: usize, a: usize, b: usize, rows: i32, n: i32, aRow: i32, aStep: i32, bRow: i32, bStep: i32,
): void {
  zip(Binary.squaredDifference, out, a, b, rows, n, aRow, aStep, bRow, bStep)
}

/** Copies rows × n between rows of any widths (strides in floats): concatenation and slices. No overlap. */
export function copyRows(out: usize, x: usize, rows: i32, n: i32, outRow: i32, xRow: i32): void {
  for (; rows > 0; rows--, out += <usize>outRow << 2, x += <usize>xRow << 2) memory.copy(out, x, <usize>n << 2)
}
