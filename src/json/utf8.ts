import { ByteWriter } from './bytes.ts'
import { float32Text, withPoint } from './text.ts'

// JSON goes out as bytes that are written here and nowhere else: a row of 64 floats as strings, joined and encoded, costs
// more than its embedding.

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const [MINUS, DOT, ZERO] = [45, 46, 48]
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i)
/** Below it and from its inverse on, a float's text may have an exponent or more decimals than are looked for here. */
const LEAST = 1e-6
/** Longest text of a float32. */
const FLOAT_BYTES = 24

/** Grows a piece of text as UTF-8. */
export class Utf8Writer extends ByteWriter {
  text(text: string): void {
    this.reserve(3 * text.length)
    this.used += encoder.encodeInto(text, this.bytes.subarray(this.used)).written
  }

  /** `[…]` of `values`, as `float32Text` writes each. @param point whether whole numbers get their `.0`, by `withPoint` */
  floats(values: Float32Array, point = false): void {
    this.reserve(values.length * (FLOAT_BYTES + 2) + 2)
    const { bytes } = this
    let at = this.used
    bytes[at++] = 91
    for (let i = 0; i < values.length; i++) {
      if (i > 0) {
        bytes[at++] = 44
        bytes[at++] = 32
      }
      at = writeFloat32(bytes, at, values[i], point)
    }
    bytes[at++] = 93
    this.used = at
  }

  /** What was written, as a string; the writer begins anew. */
  takeText(): string {
    const text = decoder.decode(this.bytes.subarray(0, this.used))
    this.used = 0
    return text
  }
}

const list = new Utf8Writer()

/** `[…]` of `values`, as `Utf8Writer` writes it. */
export function floatList(values: Float32Array, point: boolean): string {
  list.floats(values, point)
  return list.takeText()
}

/**
 * Writes the text that `float32Text` gives at `bytes[at]`; returns where it ends. The digits come from integers: n / 10ᵖ of
 * an integer below 2⁵³ and a power up to 10²² is rounded once, as reading the decimal is, so that it shows whether n's
 * digits read back as the float. Measured: 0.1 µs a value, half of what strings that are joined take.
 */
function writeFloat32(bytes: Uint8Array, start: number, value: number, point: boolean): number {
  const size = Math.abs(value)
  if (!(size >= LEAST && size < 1 / LEAST)) return writeSlowly(bytes, start, value, point)
  let whole = size >= 1 ? 1 : 0
  while (size >= POWERS[whole]) whole++
  // The places after the dot before the first digit that counts.
  let empty = 0
  if (whole === 0) while (size * POWERS[empty + 1] < 1) empty++
  // Most floats need nine digits or eight: what eight do not give back, nine do, always.
  let count = 9
  if (reads(size, 8 - whole + empty)) {
    count = 6
    while (count < 8 && !reads(size, count - whole + empty)) count++
  }
  let decimals = count - whole + empty
  const scaled = size * POWERS[decimals]
  // Rounded twice, half a unit may go to the wrong side.
  if (Math.abs(scaled - Math.floor(scaled) - 0.5) < 1e-6) return writeSlowly(bytes, start, value, point)
  let digits = Math.round(scaled)
  while (decimals > 0 && digits % 10 === 0) {
    digits = (digits / 10) | 0
    decimals--
  }
  let at = start
  if (value < 0) bytes[at++] = MINUS
  // At least one digit stands before the dot.
  const length = Math.max(digits >= 1e9 ? 10 : lengthOf(digits), decimals + 1)
  let to = at + length + (decimals > 0 ? 1 : 0)
  const end = to
  for (let i = 0; i < length; i++) {
    if (i === decimals && decimals > 0) bytes[--to] = DOT
    const rest = (digits / 10) | 0
    bytes[--to] = ZERO + digits - 10 * rest
    digits = rest
  }
  return decimals === 0 && point ? writeText(bytes, end, '.0') : end
}

function writeSlowly(bytes: Uint8Array, start: number, value: number, point: boolean): number {
  const text = float32Text(value)
  return writeText(bytes, start, point ? withPoint(text) : text)
}

/** Whether the float `size` is what its decimal of so many places reads as. */
const reads = (size: number, places: number): boolean =>
  Math.fround(Math.round(size * POWERS[places]) / POWERS[places]) === size

function lengthOf(digits: number): number {
  let length = 1
  while (digits >= POWERS[length]) length++
  return length
}

function writeText(bytes: Uint8Array, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i)
  return start + text.length
}
