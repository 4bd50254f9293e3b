// Short runs of floats, copied within the module.

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
