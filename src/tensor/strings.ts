import { zeros } from './tensor.ts'

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

  /**
   * Element `i` as text, a byte order mark with it; bytes that are not UTF-8 become U+FFFD, so of such as may be none this is
   * for people, never for computing.
   */
  text(i: number): string {
    return decoder.decode(this.at(i))
  }

  /** Element `i` as a string where it is UTF-8, else its bytes. */
  value(i: number): string | Uint8Array {
    const bytes = this.at(i)
    return utf8(bytes) ?? bytes.slice()
  }

  /** All elements as `value` gives them: where all are ASCII they are decoded at once, at a tenth of the time. */
  values(): (string | Uint8Array)[] {
    const { bytes, offsets, length } = this
    const start = offsets[0]
    const all = bytes.subarray(start, offsets[length])
    if (length < 2 || !isAscii(all)) return Array.from({ length }, (_, i) => this.value(i))
    const text = decoder.decode(all)
    return Array.from({ length }, (_, i) => text.slice(offsets[i] - start, offsets[i + 1] - start))
  }

  /** The elements `indices`, in that order. */
  take(indices: ArrayLike<number>): Strings {
    const builder = new StringsBuilder(indices.length)
    const { bytes, offsets } = this
    for (let i = 0; i < indices.length; i++) builder.pushRange(bytes, offsets[indices[i]], offsets[indices[i] + 1])
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

  /** Negative, zero or positive, as the bytes of element `i` of `a` sort against those of element `j` of `b`. */
  static compare(a: Strings, i: number, b: Strings, j: number): number {
    const [start, other] = [a.offsets[i], b.offsets[j]]
    const [length, otherLength] = [a.offsets[i + 1] - start, b.offsets[j + 1] - other]
    const shared = Math.min(length, otherLength)
    for (let k = 0; k < shared; k++) {
      const difference = a.bytes[start + k] - b.bytes[other + k]
      if (difference !== 0) return difference
    }
    return length - otherLength
  }

  static from(values: readonly (string | Uint8Array)[]): Strings {
    const builder = new StringsBuilder(values.length)
    for (const value of values) {
      if (typeof value === 'string') builder.pushText(value)
      else builder.push(value)
    }
    return builder.finish()
  }
}

/** Collects elements one after the other into Arrow's layout. */
export class StringsBuilder {
  private bytes: Uint8Array
  private used = 0
  private ends: Uint32Array
  private count = 0

  /**
   * @param expected about how many elements will come, for the first allocation
   * @param bytes about how many bytes they will have
   */
  constructor(expected = 16, bytes = expected * 8) {
    // Not less: an array that lies in the engine's own heap makes a buffer once it is asked for it.
    this.bytes = zeros('uint8', Math.max(LEAST, bytes))
    this.ends = zeros('uint32', expected + 1)
  }

  push(element: Uint8Array): void {
    this.pushRange(element, 0, element.length)
  }

  /** Appends the element `from[start … end)`. */
  pushRange(from: Uint8Array, start: number, end: number): void {
    this.append(from, start, end)
    this.close()
  }

  /** Appends the element that is `text` in UTF-8; a lone surrogate becomes U+FFFD. */
  pushText(text: string): void {
    const { length } = text
    if (this.used + 3 * length > this.bytes.length) this.grow(this.used + 3 * length)
    const { bytes, used } = this
    let i = 0
    // The encoder's call costs more than a short ASCII text itself.
    if (length <= LONG) {
      for (; i < length; i++) {
        const code = text.charCodeAt(i)
        if (code > 127) break
        bytes[used + i] = code
      }
    }
    this.used = used + (i === length ? length : encoder.encodeInto(text, bytes.subarray(used)).written)
    this.close()
  }

  /** Appends bytes to the element that `close` ends. */
  append(from: Uint8Array, start: number, end: number): void {
    const length = end - start
    const { used } = this
    if (used + length > this.bytes.length) this.grow(used + length)
    // A view and its copy cost more than a loop over a word or two.
    if (length > LONG) this.bytes.set(from.subarray(start, end), used)
    else for (let i = 0; i < length; i++) this.bytes[used + i] = from[start + i]
    this.used = used + length
  }

  /** Ends an element. */
  close(): void {
    if (++this.count >= this.ends.length) {
      const larger = zeros('uint32', this.ends.length * 2 + 8)
      larger.set(this.ends)
      this.ends = larger
    }
    this.ends[this.count] = this.used
  }

  private grow(bytes: number): void {
    if (bytes > 2 ** 32 - 1) throw new RangeError(`${bytes} bytes of strings do not fit into one tensor`)
    const larger = zeros('uint8', Math.max(bytes, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.used))
    this.bytes = larger
  }

  get length(): number {
    return this.count
  }

  finish(): Strings {
    const { bytes, ends, used, count } = this
    // Views by their constructors, which V8 compiles in; subarray() takes four times as long.
    return new Strings(
      new Uint8Array(bytes.buffer, bytes.byteOffset, used),
      count + 1 === ends.length ? ends : new Uint32Array(ends.buffer, ends.byteOffset, count + 1),
    )
  }
}

/** Bytes that a builder begins with: few enough for many, and more than V8 keeps in its own heap. */
const LEAST = 80
/** Bytes from which on a bulk copy is the faster one. */
const LONG = 32

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] > 127) return false
  return true
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of `bytes`, or null where they are not valid UTF-8. A byte order mark is kept. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}
