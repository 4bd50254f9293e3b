// What every kernel needs of a vector of four floats.

/**
 * a · b + c. One rounding in the relaxed build where the CPU has FMA, two in the baseline build. All kernels multiply
 * and add through this, so a value does not depend on which path (one row, tile, tail) computed it.
 */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/** How the code that this engine's compiler makes of a kernel loads: what the relaxed build chooses its tiles by. */
export namespace Loads {
  /** All loads of a loop's body come first, so that each holds a register until its sum is made. */
  export const first = 0
  /** They stay where they are written. */
  export const inPlace = 1
  /** They stay, and each is preceded by a comparison with the memory's end: a quarter of the time of a tile. */
  export const checked = 2
}

/** One of `Loads`: the host says it (`loadsHere` of src/engine/kernels.ts). */
// @ts-ignore: decorator
@external('env', 'loads')
export declare const loads: i32

/**
 * Where loads are checked, the host's own tiles of six rows, whose code has the addresses of x in it
 * (src/engine/fixedtiles.ts): the sums of `count` tiles over whole panels of W, from the first of k on. Returns how many of the
 * k steps it has done for all panels, 0 where it has none of them (yet). A step is a row of a panel: one float of x, or four of
 * its bytes where `bytes` is 1.
 */
// @ts-ignore: decorator
@external('env', 'tiles')
export declare function fixedTiles(bytes: i32, out: usize, x: usize, w: usize, count: i32, k: i32, n: i32): i32

/** Where `TILE_ROWS` bytes (src/engine/linear.ts) are for the rows that tiles have packed; 0 where the host has none for them. */
// @ts-ignore: decorator
@external('env', 'rows')
export declare const tileRows: usize

// @ts-ignore: decorator
@inline
export function splat(value: f32): v128 {
  return f32x4.splat(value)
}

// @ts-ignore: decorator
@inline
export function lane0(v: v128): f32 {
  return f32x4.extract_lane(v, 0)
}

/** The first `rest` (1 to 3) lanes from memory, the others from `fill`; no byte past them is read. */
export function loadTail(p: usize, rest: i32, fill: v128): v128 {
  let v = v128.load_lane<f32>(p, fill, 0)
  if (rest > 1) v = v128.load_lane<f32>(p, v, 1, 4)
  if (rest > 2) v = v128.load_lane<f32>(p, v, 2, 8)
  return v
}

/** Writes the first `rest` (1 to 3) lanes and no byte past them. */
export function storeTail(p: usize, v: v128, rest: i32): void {
  v128.store_lane<f32>(p, v, 0)
  if (rest > 1) v128.store_lane<f32>(p, v, 1, 4)
  if (rest > 2) v128.store_lane<f32>(p, v, 2, 8)
}

/** The sum of the lanes, as (0 + 2) + (1 + 3): the order of `sums`. */
// @ts-ignore: decorator
@inline
export function sum(v: v128): f32 {
  const pair = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1)
}

/** The sums of the lanes of four vectors: two shuffles and an add a halving instead of four times `sum`. */
// @ts-ignore: decorator
@inline
export function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
}

/** The largest lane; NaN where one is NaN. */
// @ts-ignore: decorator
@inline
export function largest(v: v128): f32 {
  const pair = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return max(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1))
}

/** The smallest lane; NaN where one is NaN. */
// @ts-ignore: decorator
@inline
export function smallest(v: v128): f32 {
  const pair = f32x4.min(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1))
  return min(f32x4.extract_lane(pair, 0), f32x4.extract_lane(pair, 1))
}
