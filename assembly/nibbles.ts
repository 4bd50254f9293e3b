// A coarse look at many items before scan.ts looks at few of them: half of each byte, two numbers a byte, so that half as much
// is read. Which items can reach what is asked is a bit each.
//
// A pair of an item's bytes b and d is one byte v. Its lower half l says of d that it is about 16 · l − 120; v itself, lower
// half and all, is about b: the upper half was chosen with the lower in mind. So v needs no taking apart, and l one `and`.
//
// A group of four rows is four i32, each row's −64 · Σ v, then vectors of four pairs of each row, row after row: a product is
// a row's own lane, and no lanes need be added.
import { splat } from './lanes'

/**
 * Lays `count` rows of n bytes (i8, −127 to 127), of which the first `width` count, as count / 4 groups of 2n + 16 bytes.
 * Leaves at `most` (two i32) the largest Σ (b − v)² + (d − 16 l + 120)² and Σ v² + (16 l − 120)² of a row. n is a multiple
 * of 16 and at most 1,024, count of 4. 1,000,000 rows of 64 in 80 ms.
 */
export function layNibbles(plane: usize, most: usize, items: usize, count: i32, n: i32, width: i32): void {
  const group = (<usize>n << 1) + 16
  const places = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  let errors = 0, squares = 0
  for (let row = 0; row < count; row++) {
    const start = plane + <usize>(row >> 2) * group + (<usize>(row & 3) << 2)
    let left = i32x4.splat(0), length = left, sum = left
    let to = start + 16
    for (let j = 0; j < n; j += 16, items += 16, to += 32) {
      const bytes = v128.load(items)
      const counts = i8x16.lt_s(places, i8x16.splat(<i8>min(width - j, 16)))
      const b = even(bytes), d = i16x8.shr_s(bytes, 8)
      const l = i16x8.shr_s(i16x8.add(d, i16x8.splat(128)), 4)
      const upper = v128.and(i16x8.add(i16x8.sub(b, l), i16x8.splat(8)), i16x8.splat(-16))
      const v = i16x8.add(i16x8.max_s(i16x8.min_s(upper, i16x8.splat(112)), i16x8.splat(-128)), l)
      const c = i16x8.sub(i16x8.shl(l, 4), i16x8.splat(120))
      const first = even(counts), second = i16x8.shr_s(counts, 8)
      left = i32x4.add(left, i32x4.add(square(i16x8.sub(b, v), first), square(i16x8.sub(d, c), second)))
      length = i32x4.add(length, i32x4.add(square(v, first), square(c, second)))
      sum = i32x4.add(sum, i32x4.dot_i16x8_s(v, i16x8.splat(-64)))
      const code = v128.and(v, i16x8.splat(255))
      const eight = i8x16.narrow_i16x8_u(code, code)
      v128.store_lane<i32>(to, eight, 0)
      v128.store_lane<i32>(to, eight, 1, 16)
    }
    store<i32>(start, total(sum))
    errors = max(errors, total(left))
    squares = max(squares, total(length))
  }
  store<i32>(most, errors)
  store<i32>(most, squares, 4)
}

/** The lower byte of each 16 bits. */
// @ts-ignore: decorator
@inline
function even(bytes: v128): v128 {
  return i16x8.shr_s(i16x8.shl(bytes, 8), 8)
}

// @ts-ignore: decorator
@inline
function square(v: v128, counts: v128): v128 {
  return i32x4.dot_i16x8_s(v128.and(v, counts), v)
}

// @ts-ignore: decorator
@inline
function total(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3)
}

/**
 * Bit i mod 8 of bits[i div 8] says whether sum · scales[i] − halves[i] · per ≥ least (without `halves` where they are 0),
 * sum = Σ v · query[2j] + 8 · (Σ l · query[2j + 1] + first) over the pairs of row i, as `layNibbles` laid them. `query` is n
 * of i8, those of even places −63 to 63; `scratch` is for 2n bytes, `paired` what `pairsBytes` says here; count is a
 * multiple of 32. Sums are exact, and each float operation is one rounding, in both builds.
 *
 * Four rows of each quarter of `count` are looked at by turns: memory gives four streams faster than one. 1,048,576 items of 64
 * in chunks of 8,192, ms, on a Sapphire Rapids, and where they are in the cache:
 *
 *     Node 24  in bytes 2.6 1.3   in pairs 3.2 2.7   scanBytes, topkPush and withinReach 9.9 4.4
 *     Node 20  in halves 4.9 4.3
 *
 * In bytes by two streams 3.4, by one 4.4, both with halves taken apart by shifts, where 2.5 are in the cache; the inner loop
 * unrolled by two was slower, and so were masks of the baseline build that are no constants.
 */
export function scanNibbles(
  bits: usize, query: usize, plane: usize, scales: usize, halves: usize, count: i32, n: i32, first: i32, least: f32,
  per: f32, scratch: usize, paired: i32,
): void {
  const end = layQuery(scratch, query, n)
  if (!ASC_FEATURE_RELAXED_SIMD) inHalves(bits, plane, scales, halves, count, n, first, least, per, scratch, end)
  else if (paired) inPairs(bits, plane, scales, halves, count, n, first, least, per, scratch, end, i16x8.splat(<i16>paired))
  else inBytes(bits, plane, scales, halves, count, n, first, least, per, scratch, end)
}

// Three functions of their own, as those of products.ts.

function inBytes(
  bits: usize, plane: usize, scales: usize, halves: usize, count: i32, n: i32, first: i32, least: f32, per: f32,
  query: usize, end: usize,
): void {
  // V8 builds a constant anew at each use, which takes a third of the time of what is in the cache.
  const low = i8x16.splat(memory.size() ? 15 : 0)
  inSums(false, bits, plane, scales, halves, count, n, first, least, per, query, end, low, low)
}

function inPairs(
  bits: usize, plane: usize, scales: usize, halves: usize, count: i32, n: i32, first: i32, least: f32, per: f32,
  query: usize, end: usize, ones: v128,
): void {
  inSums(true, bits, plane, scales, halves, count, n, first, least, per, query, end, i8x16.splat(15), ones)
}

// @ts-ignore: decorator
@inline
function inSums(
  pairs: bool, bits: usize, plane: usize, scales: usize, halves: usize, count: i32, n: i32, first: i32, least: f32,
  per: f32, query: usize, end: usize, low: v128, ones: v128,
): void {
  const quarter = count >> 2
  const far = ((<usize>n << 1) + 16) * (<usize>quarter >> 2), list = <usize>quarter << 2
  let before = 0
  for (let i = 0; i < quarter; i += 4, scales += 16) {
    let a = v128.load(plane), b = v128.load(plane + far)
    let c = v128.load(plane + 2 * far), d = v128.load(plane + 3 * far)
    let e = i32x4.splat(first), f = e, g = e, h = e
    plane += 16
    for (let q = query; q < end; q += 8, plane += 16) {
      const upper = v128.load32_splat(q), lower = v128.load32_splat(q, 4)
      let v = v128.load(plane)
      a = dot(pairs, v, upper, a, ones)
      e = dot(pairs, lower, v128.and(v, low), e, ones)
      v = v128.load(plane + far)
      b = dot(pairs, v, upper, b, ones)
      f = dot(pairs, lower, v128.and(v, low), f, ones)
      v = v128.load(plane + 2 * far)
      c = dot(pairs, v, upper, c, ones)
      g = dot(pairs, lower, v128.and(v, low), g, ones)
      v = v128.load(plane + 3 * far)
      d = dot(pairs, v, upper, d, ones)
      h = dot(pairs, lower, v128.and(v, low), h, ones)
    }
    a = i32x4.add(a, i32x4.shl(e, 3))
    b = i32x4.add(b, i32x4.shl(f, 3))
    c = i32x4.add(c, i32x4.shl(g, 3))
    d = i32x4.add(d, i32x4.shl(h, 3))
    const mask = compared(a, b, c, d, scales, halves, list, least, per)
    if (halves) halves += 16
    if (i & 4) put(bits++, <usize>quarter >> 3, before, mask)
    before = mask
  }
}

/** Sixteen products of bytes and numbers of seven bits, in four sums. */
// @ts-ignore: decorator
@inline
function dot(pairs: bool, bytes: v128, seven: v128, sums: v128, ones: v128): v128 {
  if (!pairs) return i32x4.relaxed_dot_i8x16_i7x16_add_s(bytes, seven, sums)
  return i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(bytes, seven), ones))
}

function inHalves(
  bits: usize, plane: usize, scales: usize, halves: usize, count: i32, n: i32, first: i32, least: f32, per: f32,
  query: usize, end: usize,
): void {
  const quarter = count >> 2
  const far = ((<usize>n << 1) + 16) * (<usize>quarter >> 2), list = <usize>quarter << 2
  let before = 0
  for (let i = 0; i < quarter; i += 4, scales += 16) {
    let a = i32x4.splat(0), b = a, c = a, d = a
    let e = i32x4.splat(first << 8), f = e, g = e, h = e
    plane += 16
    for (let q = query; q < end; q += 16, plane += 16) {
      const s = v128.load(plane), t = v128.load(plane + far)
      const u = v128.load(plane + 2 * far), v = v128.load(plane + 3 * far)
      let pair = v128.load32_splat(q)
      let mask = i16x8.splat(15)
      e = i32x4.add(e, i32x4.dot_i16x8_s(v128.and(s, mask), pair))
      f = i32x4.add(f, i32x4.dot_i16x8_s(v128.and(t, mask), pair))
      g = i32x4.add(g, i32x4.dot_i16x8_s(v128.and(u, mask), pair))
      h = i32x4.add(h, i32x4.dot_i16x8_s(v128.and(v, mask), pair))
      pair = v128.load32_splat(q, 4)
      mask = i16x8.splat(0xf00)
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.and(s, mask), pair))
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.and(t, mask), pair))
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.and(u, mask), pair))
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.and(v, mask), pair))
      pair = v128.load32_splat(q, 8)
      a = i32x4.add(a, i32x4.dot_i16x8_s(i16x8.shl(s, 8), pair))
      b = i32x4.add(b, i32x4.dot_i16x8_s(i16x8.shl(t, 8), pair))
      c = i32x4.add(c, i32x4.dot_i16x8_s(i16x8.shl(u, 8), pair))
      d = i32x4.add(d, i32x4.dot_i16x8_s(i16x8.shl(v, 8), pair))
      pair = v128.load32_splat(q, 12)
      mask = i16x8.splat(-256)
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.and(s, mask), pair))
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.and(t, mask), pair))
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.and(u, mask), pair))
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.and(v, mask), pair))
    }
    a = i32x4.shr_s(i32x4.add(a, i32x4.shl(e, 3)), 8)
    b = i32x4.shr_s(i32x4.add(b, i32x4.shl(f, 3)), 8)
    c = i32x4.shr_s(i32x4.add(c, i32x4.shl(g, 3)), 8)
    d = i32x4.shr_s(i32x4.add(d, i32x4.shl(h, 3)), 8)
    const mask = compared(a, b, c, d, scales, halves, list, least, per)
    if (halves) halves += 16
    if (i & 4) put(bits++, <usize>quarter >> 3, before, mask)
    before = mask
  }
}

/** A bit for each of four rows here, `list` bytes of scales away, and twice and three times as far. */
// @ts-ignore: decorator
@inline
function compared(
  a: v128, b: v128, c: v128, d: v128, scales: usize, halves: usize, list: usize, least: f32, per: f32,
): i32 {
  const bound = splat(least)
  a = scaled(a, scales)
  b = scaled(b, scales + list)
  c = scaled(c, scales + 2 * list)
  d = scaled(d, scales + 3 * list)
  if (halves) {
    const share = splat(per)
    a = less(a, halves, share)
    b = less(b, halves + list, share)
    c = less(c, halves + 2 * list, share)
    d = less(d, halves + 3 * list, share)
  }
  const first = i16x8.narrow_i32x4_s(f32x4.ge(a, bound), f32x4.ge(b, bound))
  const second = i16x8.narrow_i32x4_s(f32x4.ge(c, bound), f32x4.ge(d, bound))
  return i8x16.bitmask(i8x16.narrow_i16x8_s(first, second))
}

/** The bits of four times eight rows, of which the first four of each are in `before`. */
// @ts-ignore: decorator
@inline
function put(bits: usize, far: usize, before: i32, mask: i32): void {
  const even = (before & 0x0f0f) | ((mask & 0x0f0f) << 4)
  const odd = ((before >> 4) & 0x0f0f) | (mask & 0xf0f0)
  store<u8>(bits, even)
  store<u8>(bits + far, odd)
  store<u8>(bits + 2 * far, even >> 8)
  store<u8>(bits + 3 * far, odd >> 8)
}

/**
 * The query as this build's loop takes it, four pairs of numbers after four; returns its end. Bytes: the first of each pair
 * from 1 to 127, because relaxed products take seven bits without a sign (rows begin with −64 · Σ v), then the second. 16
 * bits: of pairs 0 and 2 the second, of 1 and 3 the second, of 0 and 2 the first, of 1 and 3 the first, times what makes all
 * sums 256 times as large, but those of 0 and 2 the second, 32 times because of 16 bits.
 */
function layQuery(out: usize, query: usize, n: i32): usize {
  for (const end = query + <usize>n; query < end; query += 8) {
    for (let pair: usize = 0; pair < 4; pair++) {
      const one = <i32>load<i8>(query + (pair << 1)), two = <i32>load<i8>(query + (pair << 1), 1)
      if (ASC_FEATURE_RELAXED_SIMD) {
        store<u8>(out + pair, one + 64)
        store<i8>(out + pair, two, 4)
      } else {
        const to = out + ((pair & 1) << 2) + ((pair >> 1) << 1)
        store<i16>(to, two << (pair & 1 ? 3 : 8))
        store<i16>(to, one, 8)
      }
    }
    out += ASC_FEATURE_RELAXED_SIMD ? 8 : 16
  }
  return out
}

// @ts-ignore: decorator
@inline
function scaled(sums: v128, scales: usize): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load(scales))
}

// @ts-ignore: decorator
@inline
function less(v: v128, halves: usize, share: v128): v128 {
  return f32x4.sub(v, f32x4.mul(v128.load(halves), share))
}

/**
 * Writes base + i (i32, ascending) for each of the first `count` bits i of `bits` that is set, and set in `within` too where
 * that is not 0; returns how many. Whole words of 32 bits are read.
 */
export function listBits(out: usize, bits: usize, within: usize, count: i32, base: i32): i32 {
  const start = out
  for (let i = 0; i < count; i += 32, bits += 4) {
    let word = load<u32>(bits)
    if (within) {
      word &= load<u32>(within)
      within += 4
    }
    if (count - i < 32) word &= (1 << (count - i)) - 1
    for (; word; word &= word - 1, out += 4) store<i32>(out, base + i + ctz(word))
  }
  return <i32>((out - start) >> 2)
}
