import type { Json } from './parse.ts'

/** `json` as text that `parseJson` reads back: 64-bit integers in full digits, NaN and infinities bare. */
export function jsonText(json: Json): string {
  if (typeof json === 'number') return float64Text(json)
  if (typeof json === 'bigint') return String(json)
  if (json === null || typeof json !== 'object') return JSON.stringify(json)
  if (Array.isArray(json)) return `[${json.map(jsonText).join(', ')}]`
  const members = Object.entries(json).map(([name, value]) => `${JSON.stringify(name)}: ${jsonText(value)}`)
  return `{${members.join(', ')}}`
}

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))

/** The shortest decimal that reads back as the float32 `value`. */
export function float32Text(value: number): string {
  const size = Math.abs(value)
  // Nine digits are at most twelve places there. Text of a double takes a tenth of toPrecision and reading it again.
  if (size >= 1e-3 && size < 1e3) {
    for (let places = 5 - Math.floor(Math.log10(size)), end = places + 4; places < end; places++) {
      const decimal = Math.round(size * POWERS[places]) / POWERS[places]
      if (Math.fround(decimal) === size) return value < 0 ? `-${decimal}` : String(decimal)
    }
  }
  if (!Number.isFinite(value)) return String(value)
  if (Object.is(value, -0)) return '-0'
  // Six digits that end in zeros are shorter ones; only subnormals need to be tried with fewer.
  for (let digits = Math.abs(value) < 2 ** -126 ? 1 : 6; digits < 9; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return String(Number(text))
  }
  return String(Number(value.toPrecision(9)))
}

/** A float's text as TensorFlow Serving writes it: a whole number has its `.0`, so that readers see a float. */
export const withPoint = (text: string): string => (text.includes('.') || !/^-?\d+$/.test(text) ? text : `${text}.0`)

/**
 * The shortest decimal that reads back as `value`. Sixteen digits or more are written with an exponent: readers find
 * 64-bit integers by such runs of digits, and a fraction must not look like one.
 */
export function float64Text(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  return /\d{16}/.test(text) ? value.toExponential() : text
}
