// Numbers in text, after strings::safe_strto32, safe_strto64, safe_strtof and safe_strtod of core/lib/strings/numbers.cc:
// blanks around them are allowed, a plus sign only before floats.

const INTEGER = /^[ \t\n\v\f\r]*(-?[0-9]+)[ \t\n\v\f\r]*$/
const UNSIGNED = /^[ \t\n\v\f\r]*\+?([0-9]+)[ \t\n\v\f\r]*$/
const FLOAT =
  /^[ \t\n\v\f\r]*([-+]?)(?:((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?)|(0x[0-9a-f]+)|(inf)|nan)[ \t\n\v\f\r]*$/i

/** Blanks alone are the float 0; nothing at all is no number. */
const BLANK = /^[ \t\n\v\f\r]+$/

/** The integer of `bits` bits that `text` is; null where it is none or does not fit. */
export function parseInteger(text: string, bits: 32 | 64): bigint | null {
  const digits = INTEGER.exec(text)?.[1]
  if (digits === undefined) return null
  const value = BigInt(digits)
  return BigInt.asIntN(bits, value) === value ? value : null
}

/** The unsigned integer of `bits` bits that `text` is, which a plus sign may stand before; null where it is none. */
export function parseUnsigned(text: string, bits: 32 | 64): bigint | null {
  const digits = UNSIGNED.exec(text)?.[1]
  if (digits === undefined) return null
  const value = BigInt(digits)
  return BigInt.asUintN(bits, value) === value ? value : null
}

/**
 * The number that `text` is, which may be hexadecimal, `inf` or `nan` in any case; null where it is none. Text of 32 bytes and
 * more is a number as in TensorFlow 2.20; 2.15 refuses it for its buffer.
 */
export function parseFloating(text: string): number | null {
  if (BLANK.test(text)) return 0
  const match = FLOAT.exec(text)
  if (match === null) return null
  const [, sign, decimal, hex, infinite] = match
  const magnitude = infinite !== undefined ? Infinity : Number(decimal ?? hex ?? Number.NaN)
  return sign === '-' ? -magnitude : magnitude
}
