// How dense layers' weights are laid out for the kernels: in memory, and in weights.bin.

/** Columns in a panel of `packPanels`. */
export const PANEL = 16

/** How many floats `packPanels` makes of a k × n matrix. */
export const packedLength = (k: number, n: number): number => Math.ceil(n / PANEL) * PANEL * k

/**
 * A k × n matrix, row-major, as `dense` reads it: panel p holds columns 16p … 16p + 15, row after row, zeros for columns
 * from n on. So element (i, j) is at ⌊j / 16⌋ · 16k + 16i + j mod 16.
 * @throws {RangeError} where `weights` has not k · n elements
 */
export function packPanels(weights: Float32Array, k: number, n: number): Float32Array {
  expectLength('weights', weights, k * n, k, n)
  const packed = new Float32Array(packedLength(k, n))
  for (let column = 0, at = 0; column < n; column += PANEL) {
    const end = Math.min(column + PANEL, n)
    for (let row = 0; row < k; row++, at += PANEL) packed.set(weights.subarray(row * n + column, row * n + end), at)
  }
  return packed
}

/**
 * The k × n matrix of which `packPanels` made `packed`.
 * @throws {RangeError} where `packed` has not the length that k and n ask for
 */
export function unpackPanels(packed: Float32Array, k: number, n: number): Float32Array {
  expectLength('packed', packed, packedLength(k, n), k, n)
  const weights = new Float32Array(k * n)
  for (let column = 0, at = 0; column < n; column += PANEL) {
    const width = Math.min(PANEL, n - column)
    for (let row = 0; row < k; row++, at += PANEL) weights.set(packed.subarray(at, at + width), row * n + column)
  }
  return weights
}

function expectLength(name: string, array: Float32Array, length: number, k: number, n: number): void {
  if (array.length === length) return
  throw new RangeError(`${name} of a ${k} × ${n} matrix has ${length} elements, got ${array.length}`)
}
