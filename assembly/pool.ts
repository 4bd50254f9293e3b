// Rows of an embedding table, one by one or pooled. The table may be a copy of the rows that a batch needs.
import { copyEach } from './copies'
import { loadTail, madd, splat, storeTail } from './lanes'

const enum Combiner {
  sum,
  mean,
  sqrtn,
}

/**
 * out[count × n] = table[indices], the rows of `out` lying `outRow` floats apart (n where contiguous), so a gather can
 * write straight into a concatenation. `indices` are i32. Returns the place of the first index outside 0 … tableRows − 1,
 * before which everything is written and after which nothing is, or −1.
 */
export function gatherRows(
  out: usize, table: usize, indices: usize, count: i32, n: i32, tableRows: i32, outRow: i32,
): i32 {
  const row = <usize>n << 2
  for (let i = 0; i < count; i++, indices += 4, out += <usize>outRow << 2) {
    const index = load<u32>(indices)
    if (index >= <u32>tableRows) return i
    copyEach(out, table + <usize>index * row, 1, row, 0, 0)
  }
  return -1
}

/**
 * out[segments × n] = the rows table[indices[splits[s] … splits[s + 1])] of each segment s combined: 0 sum, 1 mean
 * (÷ Σ weights), 2 sqrtn (÷ √Σ weights²), as tf.nn.embedding_lookup_sparse. `splits` (segments + 1 ascending i32) and
 * `indices` are i32; `indices` 0 means row i is table[i]; `weights` (f32, one an index) 0 means ones. An empty segment
 * gives zeros, and so do weights that sum to 0 (div_no_nan). Rows of `out` lie `outRow` floats apart. `out` must not
 * overlap an input. Returns the place in `indices` of the first one outside 0 … tableRows − 1, or −1.
 */
export function poolRows(
  out: usize, table: usize, indices: usize, weights: usize, splits: usize,
  segments: i32, n: i32, tableRows: i32, combiner: Combiner, outRow: i32,
): i32 {
  for (; segments > 0; segments--, splits += 4, out += <usize>outRow << 2) {
    const start = load<i32>(splits), end = load<i32>(splits, 4)
    memory.fill(out, 0, <usize>n << 2)
    let divisor: f32 = 0
    for (let i = start; i < end; i++) {
      const index = indices ? load<u32>(indices + (<usize>i << 2)) : <u32>i
      if (index >= <u32>tableRows) return i
      const weight = weights ? load<f32>(weights + (<usize>i << 2)) : <f32>1
      divisor += combiner == Combiner.sqrtn ? weight * weight : weight
      accumulate(out, table + <usize>index * (<usize>n << 2), n, weight)
    }
    if (combiner == Combiner.sqrtn) divisor = sqrt<f32>(divisor)
    if (combiner != Combiner.sum && start < end) divide(out, n, divisor)
  }
  return -1
}

/** out += x · weight */
function accumulate(out: usize, x: usize, n: i32, weight: f32): void {
  const w = splat(weight)
  for (; n >= 4; n -= 4, out += 16, x += 16) v128.store(out, madd(v128.load(x), w, v128.load(out)))
  if (n > 0) storeTail(out, madd(loadTail(x, n, w), w, loadTail(out, n, w)), n)
}

/** out /= divisor, or 0 where the divisor is 0. */
function divide(out: usize, n: i32, divisor: f32): void {
  if (divisor == 0) {
    memory.fill(out, 0, <usize>n << 2)
    return
  }
  const d = splat(divisor)
  for (; n >= 4; n -= 4, out += 16) v128.store(out, f32x4.div(v128.load(out), d))
  if (n > 0) storeTail(out, f32x4.div(loadTail(out, n, d), d), n)
}
