import { InvalidArgumentError } from '../../errors.ts'

/**
 * A table of a FlatBuffer, read where it lies (flatbuffers' internals document): a table points back to its list of field
 * offsets, a vector or string is its length and then its elements. Fields count from 0 in the schema's order.
 */
export class FlatTable {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly at: number

  private constructor(bytes: Uint8Array, view: DataView, at: number) {
    this.bytes = bytes
    this.view = view
    this.at = at
  }

  /** The root table. @throws {InvalidArgumentError} where `bytes` are too short to hold one */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return refused(() => new FlatTable(bytes, view, view.getUint32(0, true)))
  }

  /** Where a field's value lies, or -1 where the table has none. */
  private field(index: number): number {
    const { view, at } = this
    const list = at - view.getInt32(at, true)
    const entry = 4 + 2 * index
    const offset = entry < view.getUint16(list, true) ? view.getUint16(list + entry, true) : 0
    return offset === 0 ? -1 : at + offset
  }

  int32(index: number, fallback = 0): number {
    return refused(() => {
      const at = this.field(index)
      return at < 0 ? fallback : this.view.getInt32(at, true)
    })
  }

  float32(index: number): number {
    return refused(() => {
      const at = this.field(index)
      return at < 0 ? 0 : this.view.getFloat32(at, true)
    })
  }

  /** The table that a field is; null where there is none. */
  table(index: number): FlatTable | null {
    return refused(() => {
      const at = this.field(index)
      return at < 0 ? null : new FlatTable(this.bytes, this.view, at + this.view.getUint32(at, true))
    })
  }

  boolean(index: number): boolean {
    return refused(() => {
      const at = this.field(index)
      return at >= 0 && this.bytes[at] !== 0
    })
  }

  /** Where a vector's elements begin and how many there are; null where there is no vector. */
  private vector(index: number, size: number): { readonly start: number; readonly count: number } | null {
    const at = this.field(index)
    if (at < 0) return null
    const list = at + this.view.getUint32(at, true)
    const count = this.view.getUint32(list, true)
    if (list + 4 + count * size > this.bytes.length)
      throw new InvalidArgumentError(
        `the model's field ${index} of ${count} elements ends after its ${this.bytes.length} bytes`,
      )
    return { start: list + 4, count }
  }

  /** A vector of 32-bit integers, or of structs of them, copied; null where there is none. */
  words(index: number, wordsEach = 1): Uint32Array | null {
    return refused(() => {
      const vector = this.vector(index, 4 * wordsEach)
      if (vector === null) return null
      const words = new Uint32Array(vector.count * wordsEach)
      for (let i = 0; i < words.length; i++) words[i] = this.view.getUint32(vector.start + 4 * i, true)
      return words
    })
  }

  /** A string or a vector of bytes; null where there is none. */
  content(index: number): Uint8Array | null {
    return refused(() => {
      const vector = this.vector(index, 1)
      return vector && this.bytes.subarray(vector.start, vector.start + vector.count)
    })
  }

  /** A vector of strings; null where there is none. */
  contents(index: number): Uint8Array[] | null {
    return refused(() => {
      const vector = this.vector(index, 4)
      if (vector === null) return null
      return Array.from({ length: vector.count }, (_, i) => {
        const at = vector.start + 4 * i
        const list = at + this.view.getUint32(at, true)
        return this.bytes.subarray(list + 4, list + 4 + this.view.getUint32(list, true))
      })
    })
  }
}

/** Reads outside the buffer are the model's fault. */
function refused<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvalidArgumentError || !(error instanceof RangeError)) throw error
    throw new InvalidArgumentError('the model is no FlatBuffer: an offset leads outside it')
  }
}
