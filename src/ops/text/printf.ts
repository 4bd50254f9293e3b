import type { DType } from '../../tensor/index.ts'

// Numbers as C's printf writes them, to the digit.

/** The smallest float32 that is not denormal. */
const LEAST_NORMAL = 2 ** -126

/** A float32 as it comes out of its conversion to double, for which TensorFlow's threads flush denormals to zero. */
export const converted = (value: number, dtype: DType): number =>
  dtype === 'float32' && Math.abs(value) < LEAST_NORMAL ? value * 0 : value

/** The fewer digits, 6 or 9 (15 or 17 of a double), that give `value` back (strings::FloatToBuffer, DoubleToBuffer). */
export function printedFloat(value: number, dtype: DType): string {
  const [round, few, many] = dtype === 'float64' ? ([Number, 15, 17] as const) : ([Math.fround, 6, 9] as const)
  const kept = converted(value, dtype)
  const short = formatFloat(kept, 'shortest', few)
  return !Number.isFinite(kept) || round(Number(short)) === kept ? short : formatFloat(kept, 'shortest', many)
}

/** How a number is written: %f, %e or %g. */
export type Style = 'fixed' | 'scientific' | 'shortest'

/** `value` by %f, %e or %g with `precision` digits (6 where it is negative, as C has it). */
export function formatFloat(value: number, style: Style, precision: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const digits = precision < 0 ? 6 : precision
  const magnitude = Math.abs(value)
  if (style === 'fixed') return sign + fixed(magnitude, digits)
  if (style === 'scientific') return sign + scientific(magnitude, digits)
  return sign + general(magnitude, digits === 0 ? 1 : digits)
}

/** `magnitude` · 10^`digits` as an integer, halves to even: exact, whatever its size. */
function scaled(magnitude: number, digits: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, magnitude)
  const bits = view.getBigUint64(0)
  const field = Number(bits >> 52n)
  const mantissa = (bits & 0xfffffffffffffn) | (field === 0 ? 0n : 1n << 52n)
  const exponent = (field === 0 ? 1 : field) - 1075
  let [numerator, denominator] = [mantissa, 1n]
  if (exponent >= 0) numerator <<= BigInt(exponent)
  else denominator <<= BigInt(-exponent)
  if (digits >= 0) numerator *= 10n ** BigInt(digits)
  else denominator *= 10n ** BigInt(-digits)
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n)
  return up ? quotient + 1n : quotient
}

function fixed(magnitude: number, digits: number): string {
  const text = scaled(magnitude, digits)
    .toString()
    .padStart(digits + 1, '0')
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** The decimal exponent and `digits` + 1 significant digits. */
function significant(magnitude: number, digits: number): { readonly text: string; readonly exponent: number } {
  if (magnitude === 0) return { text: '0'.repeat(digits + 1), exponent: 0 }
  let exponent = Math.floor(Math.log10(magnitude))
  for (;;) {
    const text = scaled(magnitude, digits - exponent).toString()
    if (text.length === digits + 1) return { text, exponent }
    exponent += text.length > digits + 1 ? 1 : -1
  }
}

function scientific(magnitude: number, digits: number): string {
  const { text, exponent } = significant(magnitude, digits)
  const power = `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  return `${text[0]}${digits === 0 ? '' : `.${text.slice(1)}`}${power}`
}

/** %g: the shorter of the two by the exponent, without zeros at the end. */
function general(magnitude: number, digits: number): string {
  const { exponent } = significant(magnitude, digits - 1)
  const trimmed = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
  if (exponent >= -4 && exponent < digits) return trimmed(fixed(magnitude, digits - 1 - exponent))
  const [mantissa, power] = scientific(magnitude, digits - 1).split('e')
  return `${trimmed(mantissa)}e${power}`
}

/** `text` of a number padded to `width`: by spaces, by `0` after the sign, or by spaces behind it for `-`; `+` and ` ` mark positives. */
export function pad(text: string, width: number, fill: string): string {
  const negative = text.startsWith('-')
  const marked = !negative && (fill === '+' || fill === ' ') ? fill + text : text
  if (marked.length >= width) return marked
  if (fill === '-') return marked.padEnd(width)
  if (fill === '0' && /\d/.test(marked))
    return negative ? `-${marked.slice(1).padStart(width - 1, '0')}` : marked.padStart(width, '0')
  return marked.padStart(width)
}
