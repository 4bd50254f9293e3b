/**
 * The elements of a string tensor in Arrow's layout: one byte buffer, and offsets of which element i takes
 * `bytes[offsets[i] … offsets[i + 1])`. TensorFlow's strings are bytes; what is not UTF-8 survives.
 */
export class Strings {
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array

  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.bytes = bytes
    this.offsets = offsets
  }

  get length(): number {
    return this.offsets.length - 1
  }

  /** The bytes of element `i`, a view. */
  at(i: number): Uint8Array {
    return this.bytes.subarray(this.offsets[i], this.offsets[i + 1])
  }

  /** Element `i` as text; bytes that are not UTF-8 become U+FFFD, so this is for people, never for computing. */
  text(i: number): string {
    return decoder.decode(this.at(i))
  }

  /** Element `i` as a string where it is UTF-8, else its bytes. */
  value(i: number): string | Uint8Array {
    const bytes = this.at(i)
    return utf8(bytes) ?? bytes.slice()
  }

  /** The elements `indices`, in that order. */
  take(indices: ArrayLike<number>): Strings {
    const builder = new StringsBuilder(indices.length)
    for (let i = 0; i < indices.length; i++) builder.push(this.at(indices[i]))
    return builder.finish()
  }

  /** True where element `i` of `a` and element `j` of `b` are the same bytes. */
  static equal(a: Strings, i: number, b: Strings, j: number): boolean {
    const [from, other] = [a.offsets[i], b.offsets[j]]
    const length = a.offsets[i + 1] - from
    if (b.offsets[j + 1] - other !== length) return false
    for (let k = 0; k < length; k++) if (a.bytes[from + k] !== b.bytes[other + k]) return false
    return true
  }

  static from(values: readonly (string | Uint8Array)[]): Strings {
    const builder = new StringsBuilder(values.length)
    for (const value of values) builder.push(typeof value === 'string' ? encoder.encode(value) : value)
    return builder.finish()
  }
}

/** Collects elements one after the other into Arrow's layout. */
export class StringsBuilder {
  private bytes: Uint8Array
  private used = 0
  private ends: number[] = [0]

  /** @param expected about how many elements will come, for the first allocation */
  constructor(expected = 16) {
    this.bytes = new Uint8Array(Math.max(64, expected * 8))
  }

  push(element: Uint8Array): void {
    const end = this.used + element.length
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2))
      larger.set(this.bytes.subarray(0, this.used))
      this.bytes = larger
    }
    this.bytes.set(element, this.used)
    this.used = end
    this.ends.push(end)
  }

  get length(): number {
    return this.ends.length - 1
  }

  finish(): Strings {
    return new Strings(this.bytes.subarray(0, this.used), Uint32Array.from(this.ends))
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of `bytes`, or null where they are not valid UTF-8. A byte order mark is kept. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}
