// The k best of many scores, in one pass and without sorting them: a heap of the best so far with the worst of them on top.
// Most scores are worse than that one, and four of those are passed over with one comparison: the best 100 of 1,048,576
// in 0.3 to 0.6 ms, where the scan that makes the scores takes 7.
//
// The order is total: the higher score first, of equal scores (−0 and 0 are equal) the lower index, as TensorFlow's TopK;
// NaN, of which TensorFlow says nothing, comes after −Infinity, and among themselves NaNs by index.
import { splat } from './lanes'

/** True where (s, i) stands behind (t, j). */
// @ts-ignore: decorator
@inline
function behind(s: f32, i: i32, t: f32, j: i32): bool {
  if (s < t) return true
  if (s > t) return false
  if (s != t) {
    const nan = s != s
    if (nan != (t != t)) return nan
  }
  return i > j
}

/** Puts (s, i) into the hole at `at` of a heap of `size`, then lets it sink: each parent stands behind its children. */
function sink(values: usize, indices: usize, size: i32, at: i32, s: f32, i: i32): void {
  for (let child = at * 2 + 1; child < size; child = at * 2 + 1) {
    const c = <usize>child << 2
    let t = load<f32>(values + c), j = load<i32>(indices + c)
    if (child + 1 < size) {
      const u = load<f32>(values + c, 4), l = load<i32>(indices + c, 4)
      if (behind(u, l, t, j)) {
        child++
        t = u
        j = l
      }
    }
    if (!behind(t, j, s, i)) break
    store<f32>(values + (<usize>at << 2), t)
    store<i32>(indices + (<usize>at << 2), j)
    at = child
  }
  store<f32>(values + (<usize>at << 2), s)
  store<i32>(indices + (<usize>at << 2), i)
}

/** Puts (s, i) at the end of a heap of `size` entries before it, then lets it rise. */
function rise(values: usize, indices: usize, size: i32, s: f32, i: i32): void {
  let at = size
  while (at > 0) {
    const parent = (at - 1) >> 1
    const t = load<f32>(values + (<usize>parent << 2)), j = load<i32>(indices + (<usize>parent << 2))
    if (!behind(s, i, t, j)) break
    store<f32>(values + (<usize>at << 2), t)
    store<i32>(indices + (<usize>at << 2), j)
    at = parent
  }
  store<f32>(values + (<usize>at << 2), s)
  store<i32>(indices + (<usize>at << 2), i)
}

/**
 * Takes n scores, the indices of which are base, base + 1 …, into a heap of at most k (`values` f32, `indices` i32, `size`
 * of them filled) and returns its new size. Chunk after chunk in any order; start with size 0, end with `topkSort`.
 */
export function topkPush(
  values: usize, indices: usize, size: i32, k: i32, scores: usize, n: i32, base: i32,
): i32 {
  let i = 0
  for (; size < k && i < n; i++) rise(values, indices, size++, load<f32>(scores + (<usize>i << 2)), base + i)
  if (k <= 0) return 0
  while (i < n) {
    const bound = splat(load<f32>(values))
    // Of a score equal to the worst the lower index stays, so a later one need not be looked at either.
    const later = load<i32>(indices) < base + i
    for (; i + 4 <= n; i += 4) {
      const v = v128.load(scores + (<usize>i << 2))
      if (!i32x4.all_true(later ? f32x4.le(v, bound) : f32x4.lt(v, bound))) break
    }
    for (const end = min(i + 4, n); i < end; i++) {
      const s = load<f32>(scores + (<usize>i << 2))
      if (behind(load<f32>(values), load<i32>(indices), s, base + i)) sink(values, indices, k, 0, s, base + i)
    }
  }
  return size
}

/** Sorts the heap of `size` entries, the best first. It is no heap after that. */
export function topkSort(values: usize, indices: usize, size: i32): void {
  for (let last = size - 1; last > 0; last--) {
    const at = <usize>last << 2
    const s = load<f32>(values + at), i = load<i32>(indices + at)
    store<f32>(values + at, load<f32>(values))
    store<i32>(indices + at, load<i32>(indices))
    sink(values, indices, last, 0, s, i)
  }
}

/** The min(k, n) best of n scores, sorted; returns how many. `values` and `indices` have room for k and overlap nothing. */
export function topk(values: usize, indices: usize, scores: usize, n: i32, k: i32): i32 {
  const size = topkPush(values, indices, 0, k, scores, n, 0)
  topkSort(values, indices, size)
  return size
}
