import type { Strings } from './strings.ts'

// Flat hash indexes: `slots` is a power of two of int32, at most half full, probed linearly; a slot holds the position
// of its key plus one, or 0. The arrays are all there is, so an index is stored as it is and ready when it is read.

/** Which keys a vocabulary has and at which position. */
export interface KeyIndex {
  readonly slots: Int32Array
}

/** FNV-1a over the bytes `start … end`, then murmur3's finaliser: vocabularies differ mostly in their last letters. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
  return mix(hash)
}

/** The hash of a 64-bit key by its two halves. */
const hashInt64 = (low: number, high: number): number => mix(Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77))

function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const slotsFor = (size: number): Int32Array => new Int32Array(2 ** Math.ceil(Math.log2(Math.max(4, size * 2))))

/** An index over string keys. Of equal keys the first is found. */
export class StringIndex implements KeyIndex {
  readonly keys: Strings
  readonly slots: Int32Array

  /** @param slots a stored index of the same keys; without it one is built */
  constructor(keys: Strings, slots?: Int32Array) {
    this.keys = keys
    this.slots = slots ?? slotsFor(keys.length)
    if (slots === undefined) for (let i = 0; i < keys.length; i++) this.add(i)
  }

  private add(position: number): void {
    const { bytes, offsets } = this.keys
    const mask = this.slots.length - 1
    let slot = hashBytes(bytes, offsets[position], offsets[position + 1]) & mask
    while (this.slots[slot] !== 0) {
      if (this.is(this.slots[slot] - 1, bytes, offsets[position], offsets[position + 1])) return
      slot = (slot + 1) & mask
    }
    this.slots[slot] = position + 1
  }

  private is(position: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.keys.offsets[position]
    if (this.keys.offsets[position + 1] - from !== end - start) return false
    const own = this.keys.bytes
    for (let i = 0; i < end - start; i++) if (own[from + i] !== bytes[start + i]) return false
    return true
  }

  /** The position of the key `bytes[start … end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.slots.length - 1
    let slot = hashBytes(bytes, start, end) & mask
    while (this.slots[slot] !== 0) {
      if (this.is(this.slots[slot] - 1, bytes, start, end)) return this.slots[slot] - 1
      slot = (slot + 1) & mask
    }
    return -1
  }
}

/** An index over 64-bit keys, held as little-endian pairs of int32 (the halves of a BigInt64Array). Of equal keys the first is found. */
export class Int64Index implements KeyIndex {
  readonly halves: Int32Array
  readonly slots: Int32Array

  constructor(keys: BigInt64Array, slots?: Int32Array) {
    this.halves = new Int32Array(keys.buffer, keys.byteOffset, keys.length * 2)
    this.slots = slots ?? slotsFor(keys.length)
    if (slots === undefined) for (let i = 0; i < keys.length; i++) this.add(i)
  }

  private add(position: number): void {
    const [low, high] = [this.halves[2 * position], this.halves[2 * position + 1]]
    const mask = this.slots.length - 1
    let slot = hashInt64(low, high) & mask
    while (this.slots[slot] !== 0) {
      const known = 2 * (this.slots[slot] - 1)
      if (this.halves[known] === low && this.halves[known + 1] === high) return
      slot = (slot + 1) & mask
    }
    this.slots[slot] = position + 1
  }

  /** The position of the key with these halves, or -1. */
  find(low: number, high: number): number {
    const mask = this.slots.length - 1
    let slot = hashInt64(low, high) & mask
    while (this.slots[slot] !== 0) {
      const known = 2 * (this.slots[slot] - 1)
      if (this.halves[known] === low && this.halves[known + 1] === high) return known >> 1
      slot = (slot + 1) & mask
    }
    return -1
  }
}
