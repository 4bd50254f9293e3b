/**
 * A trie as darts-clone lays it out: one 32-bit unit a node. The unit says at which offset from the node its children lie
 * (bits 10 up, times 256 with bit 9), whether it has a value (bit 8), and by which byte it was reached (the lowest 8 bits);
 * a value is a unit with the highest bit set.
 */
export class DoubleArray {
  static readonly ROOT = 0
  private readonly units: Uint32Array

  constructor(units: Uint32Array) {
    this.units = units
  }

  private childrenOf(node: number): number {
    const unit = this.units[node]
    return (unit >>> 10) << ((unit & 0x200) >> 6)
  }

  /** The node that `byte` leads to, or -1. */
  step(node: number, byte: number): number {
    const next = (node ^ this.childrenOf(node) ^ byte) >>> 0
    // Outside the units there is undefined, whose label would be 0.
    return next < this.units.length && (this.units[next] & 0x800000ff) === byte ? next : -1
  }

  /** The node that `bytes[start … end)` lead to, or -1. */
  walk(node: number, bytes: Uint8Array, start: number, end: number): number {
    let at = node
    for (let i = start; i < end && at >= 0; i++) at = this.step(at, bytes[i])
    return at
  }

  /** The node's value, or -1. */
  valueOf(node: number): number {
    if ((this.units[node] & 0x100) === 0) return -1
    return this.units[(node ^ this.childrenOf(node)) >>> 0] & 0x7fffffff
  }
}
