// Of two operands by a mask: tf.where, and the steps of a sequence that are padding.
import { copyEach } from './copies'
import { splat, storeTail } from './lanes'

/**
 * out[r, c] = mask[r, c] ? x[r, c] : y[r, c], out contiguous rows × n. The mask is bytes, read at mask + r · maskRow + c ·
 * maskStep, 0 or not; operands as in binary.ts, at p + 4 · (r · row + c · step), step 0 or 1. No NaN changes its bits. `out`
 * may be an operand that is read with step 1 and row n.
 */
export function choose(
  out: usize, mask: usize, x: usize, y: usize, rows: i32, n: i32, maskRow: i32, maskStep: i32,
  xRow: i32, xStep: i32, yRow: i32, yStep: i32,
): void {
  const row = <usize>n << 2
  for (; rows > 0; rows--, out += row, mask += maskRow, x += <usize>xRow << 2, y += <usize>yRow << 2) {
    if (maskStep == 0) {
      const isFirst = load<u8>(mask) != 0
      const from = isFirst ? x : y
      if ((isFirst ? xStep : yStep) == 0) fill(out, v128.load32_splat(from), n)
      else if (from != out) copyEach(out, from, 1, row, 0, 0)
    } else each(out, mask, x, y, n, <usize>xStep << 2, <usize>yStep << 2)
  }
}

function fill(out: usize, v: v128, n: i32): void {
  for (; n >= 4; n -= 4, out += 16) v128.store(out, v)
  if (n > 0) storeTail(out, v, n)
}

/** A row whose mask has a byte for each number; steps in bytes. */
function each(out: usize, mask: usize, x: usize, y: usize, n: i32, xStep: usize, yStep: usize): void {
  const whole = out + (<usize>(n & ~3) << 2)
  for (; out < whole; out += 16, mask += 4, x += xStep << 2, y += yStep << 2) {
    const bytes = v128.load32_zero(mask)
    const flags = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes))
    const a = xStep ? v128.load(x) : v128.load32_splat(x)
    const b = yStep ? v128.load(y) : v128.load32_splat(y)
    v128.store(out, v128.bitselect(b, a, i32x4.eq(flags, splat(0))))
  }
  for (let rest = n & 3; rest > 0; rest--, out += 4, mask++, x += xStep, y += yStep)
    store<u32>(out, load<u8>(mask) != 0 ? load<u32>(x) : load<u32>(y))
}
