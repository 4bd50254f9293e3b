// Short runs of floats, copied within the module, and matrices in another order.

/** Bytes from which on memory.copy, a call out of the module of 8 ns, is faster than a loop. */
const LONG: usize = 160

/** Copies `count` times `bytes`, a multiple of 4, between places so far apart; no overlap. Returns where it ended. */
export function copyEach(out: usize, x: usize, count: i32, bytes: usize, outStep: usize, xStep: usize): usize {
  if (bytes >= LONG) {
    for (; count > 0; count--, out += outStep, x += xStep) memory.copy(out, x, bytes)
    return out
  }
  const whole = bytes & ~15
  const past = bytes & 15
  for (; count > 0; count--, out += outStep, x += xStep) {
    for (let at: usize = 0; at < whole; at += 16) v128.store(out + at, v128.load(x + at))
    const to = out + whole
    const from = x + whole
    if (past & 8) store<u64>(to, load<u64>(from))
    if (past & 4) store<u32>(to + (past & 8), load<u32>(from + (past & 8)))
  }
  return out
}

/**
 * out[r, c] = x[r · row + c · step], out contiguous rows × n, steps in floats: the axes of a tensor in another order. No overlap.
 *
 * 64 × 100 × 32 (Node 20): the last two axes changed over 404 µs by a loop in JavaScript, 52 here; the first two 48 µs by
 * copyRows, 31 here.
 */
export function copySteps(out: usize, x: usize, rows: i32, n: i32, row: i32, step: i32): void {
  const width = <usize>n << 2
  if (step == 1) copyEach(out, x, rows, width, width, <usize>row << 2)
  else {
    let r = 0
    if (row == 1) for (; r + 4 <= rows; r += 4, out += width << 2, x += 16) fourRows(out, x, n, <usize>step << 2)
    for (; r < rows; r++, out += width, x += <usize>row << 2) oneRow(out, x, n, <usize>step << 2)
  }
}

function oneRow(out: usize, x: usize, n: i32, step: usize): void {
  for (const end = out + (<usize>n << 2); out < end; out += 4, x += step) store<u32>(out, load<u32>(x))
}

/** Four rows that lie as columns side by side, `step` bytes from number to number. */
function fourRows(out: usize, x: usize, n: i32, step: usize): void {
  const width = <usize>n << 2
  let i = n
  for (; i >= 4; i -= 4, out += 16) {
    const a = v128.load(x), b = v128.load(x + step), c = v128.load(x + step * 2), d = v128.load(x + step * 3)
    x += step << 2
    const low = v128.shuffle<i32>(a, b, 0, 4, 1, 5), high = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const left = v128.shuffle<i32>(c, d, 0, 4, 1, 5), right = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    v128.store(out, v128.shuffle<i32>(low, left, 0, 1, 4, 5))
    v128.store(out + width, v128.shuffle<i32>(low, left, 2, 3, 6, 7))
    v128.store(out + width * 2, v128.shuffle<i32>(high, right, 0, 1, 4, 5))
    v128.store(out + width * 3, v128.shuffle<i32>(high, right, 2, 3, 6, 7))
  }
  for (; i > 0; i--, out += 4, x += step)
    for (let r: usize = 0; r < 4; r++) store<u32>(out + width * r, load<u32>(x + (r << 2)))
}
