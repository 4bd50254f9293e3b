// What any linear memory is measured by.

/** Bytes of a page: what a memory grows by. */
export const PAGE = 65536
/** wasm's 32-bit address space, less a page so that an end never wraps. */
export const MOST_BYTES: number = 2 ** 32 - PAGE

/** `bytes` up to a multiple of `to`, by default a cache line, on which any SIMD load is aligned. */
export const aligned = (bytes: number, to = 64): number => Math.ceil(bytes / to) * to

/** Bytes for the rows of x that tiles have packed: ten tiles of six rows, 256 columns of them (assembly/tall.ts). */
export const TILE_ROWS: number = 10 * 6 * 256 * 4
