import type { Json } from './parse.ts'

// Requests of a tower are numbers and little else, and to read those is most of what reading them takes. A row of 128 of 17
// digits takes Node 20 12 µs as text and by JSON.parse, which then wants a second look for what that reads wrongly, and 8 here;
// Node 24 takes 6 and 8.

const [SPACE, QUOTE, PLUS, COMMA, MINUS, DOT, ZERO, COLON] = [32, 34, 43, 44, 45, 46, 48, 58]
const [OPEN_LIST, BACKSLASH, CLOSE_LIST, SMALL_E, OPEN, CLOSE, DELETE] = [91, 92, 93, 101, 123, 125, 127]
/** Deeper nesting is for JSON.parse, which knows how far it goes. */
const DEEPEST = 16
/** Names and strings cost more here than there, unless so many numbers come with each but the first ones. */
const NUMBERS_A_TEXT = 8
const FREE_TEXTS = 4
const LONGEST_TEXT = 64
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Powers of ten that a double holds exactly, their inverses nearly, and each cut into halves of 26 bits (Veltkamp). */
const POWERS = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`))
const INVERSES = POWERS.map((power) => 1 / power)
const SPLITTER = 2 ** 27 + 1
const UPPER = POWERS.map((power) => SPLITTER * power - (SPLITTER * power - power))
const LOWER = POWERS.map((power, i) => power - UPPER[i])
/** Digits that an integer of 31 bits holds, whatever they are. */
const HALF = 9

/**
 * JSON of lists and objects that hold numbers and little else, read from its bytes: what `parseJson` gives for their text.
 * Undefined for anything else, which `parseJson` reads, or says what is wrong with it.
 */
export function readNumerals(bytes: Uint8Array): Json | undefined {
  let end = bytes.length
  while (end > 0 && isSpace(bytes[end - 1])) end--
  // So no number reaches the end, and none needs to look for it.
  const last = bytes[end - 1]
  return last === CLOSE || last === CLOSE_LIST ? new Reader(bytes, end).document() : undefined
}

const isSpace = (byte: number): boolean => byte === SPACE || (byte <= 13 && (byte === 9 || byte === 10 || byte === 13))

class Reader {
  private readonly bytes: Uint8Array
  private readonly end: number
  private at = 0
  private numbers = 0
  private texts = 0

  constructor(bytes: Uint8Array, end: number) {
    this.bytes = bytes
    this.end = end
  }

  document(): Json | undefined {
    const value = this.value(0)
    return this.at === this.end ? value : undefined
  }

  /** The next byte that is no space; 0 at the end. */
  private next(): number {
    while (this.at < this.end) {
      const byte = this.bytes[this.at]
      if (!isSpace(byte)) return byte
      this.at++
    }
    return 0
  }

  /** Whether the next byte that is no space is `byte`, which is passed then. */
  private skip(byte: number): boolean {
    if (this.next() !== byte) return false
    this.at++
    return true
  }

  private value(depth: number): Json | undefined {
    const byte = this.next()
    if (byte === OPEN_LIST) return depth < DEEPEST ? this.list(depth + 1) : undefined
    if (byte === OPEN) return depth < DEEPEST ? this.object(depth + 1) : undefined
    if (byte === QUOTE) return this.text()
    const number = readNumber(this.bytes, this.at, this.end)
    this.at = stopped
    return Number.isNaN(number) ? undefined : number
  }

  private list(depth: number): Json | undefined {
    this.at++
    const first = this.next()
    if (this.skip(CLOSE_LIST)) return []
    if (first !== OPEN_LIST && first !== OPEN && first !== QUOTE) return this.numberList()
    const items: Json[] = []
    do {
      const item = this.value(depth)
      if (item === undefined) return undefined
      items.push(item)
    } while (this.skip(COMMA))
    return this.skip(CLOSE_LIST) ? items : undefined
  }

  /** A list of numbers alone, which engines keep as doubles. */
  private numberList(): Json | undefined {
    const { bytes, end } = this
    const items: number[] = []
    for (let at = this.at; ; ) {
      const item = readNumber(bytes, at, end)
      if (Number.isNaN(item)) return undefined
      items.push(item)
      if (bytes[stopped] === COMMA) at = bytes[stopped + 1] === SPACE ? stopped + 2 : stopped + 1
      else {
        this.at = stopped
        if (!this.skip(COMMA)) break
        at = this.at
      }
      if (isSpace(bytes[at])) {
        this.at = at
        this.next()
        at = this.at
      }
    }
    this.numbers += items.length
    return this.skip(CLOSE_LIST) ? items : undefined
  }

  private object(depth: number): Json | undefined {
    this.at++
    if (this.skip(CLOSE)) return {}
    const members: [string, Json][] = []
    do {
      const name = this.next() === QUOTE ? this.text() : undefined
      if (name === undefined || !this.skip(COLON)) return undefined
      const value = this.value(depth)
      if (value === undefined) return undefined
      members.push([name, value])
    } while (this.skip(COMMA))
    // Not by assignment: a member may be called __proto__.
    return this.skip(CLOSE) ? Object.fromEntries(members) : undefined
  }

  /** A string of plain characters. */
  private text(): string | undefined {
    this.texts++
    if (this.texts > FREE_TEXTS + this.numbers / NUMBERS_A_TEXT) return undefined
    const start = ++this.at
    for (let byte = this.bytes[this.at]; byte !== QUOTE; byte = this.bytes[++this.at])
      if (byte < SPACE || byte >= DELETE || byte === BACKSLASH || this.at === this.end) return undefined
    const text = this.bytes.subarray(start, this.at++)
    return text.length > LONGEST_TEXT ? undefined : String.fromCharCode(...text)
  }
}

/** Where the number ended that was read last. A field of the reader instead takes twice the time. */
let stopped = 0

/**
 * The number at `bytes[start]`, of 18 digits at most here, as two integers of nine; NaN where there is none, or an integer
 * that no double is sure to hold. Digits are read in fours as far as `end`.
 */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  const whole = bytes[start] === MINUS ? start + 1 : start
  let at = whole
  let high = 0
  let low = 0
  let decimals = 0
  let digit = bytes[at] - ZERO
  while (isDigit(digit)) {
    high = (Math.imul(high, 10) + digit) | 0
    digit = bytes[++at] - ZERO
  }
  let count = at - whole
  if (count > HALF) return rareNumber(bytes, start)
  if (count === 0 || (count > 1 && bytes[whole] === ZERO)) return Number.NaN
  if (high === 0) count = 0
  if (bytes[at] === DOT) {
    const from = ++at
    if (count === 0) while (bytes[at] === ZERO) at++
    for (; count <= HALF - 4 && at + 4 <= end; at += 4, count += 4) {
      const four = fourDigits(bytes, at)
      if (four < 0) break
      high = (Math.imul(high, 10_000) + four) | 0
    }
    for (; count < HALF; at++, count++) {
      digit = bytes[at] - ZERO
      if (!isDigit(digit)) break
      high = (Math.imul(high, 10) + digit) | 0
    }
    if (count === HALF) {
      for (; count <= 2 * HALF - 4 && at + 4 <= end; at += 4, count += 4) {
        const four = fourDigits(bytes, at)
        if (four < 0) break
        low = (Math.imul(low, 10_000) + four) | 0
      }
      for (; count < 2 * HALF; at++, count++) {
        digit = bytes[at] - ZERO
        if (!isDigit(digit)) break
        low = (Math.imul(low, 10) + digit) | 0
      }
    }
    decimals = at - from
    if (decimals === 0 || decimals >= POWERS.length) return rareNumber(bytes, start)
  }
  if (isDigit(bytes[at] - ZERO) || (bytes[at] | 32) === SMALL_E) return rareNumber(bytes, start)
  stopped = at
  const size = count <= HALF ? high / POWERS[decimals] : quotient(high * POWERS[count - HALF], low, decimals)
  if (Number.isNaN(size)) return rareNumber(bytes, start)
  return whole > start ? -size : size
}

/** A number that the runtime is asked for. */
function rareNumber(bytes: Uint8Array, start: number): number {
  let at = start
  while (isOfNumber(bytes[at])) at++
  stopped = at
  const text = at - start <= LONGEST_TEXT ? String.fromCharCode(...bytes.subarray(start, at)) : ''
  const value = NUMBER.test(text) ? Number(text) : Number.NaN
  return Math.abs(value) < 2 ** 53 ? value : Number.NaN
}

/** The number that four digits are; negative where they are not four. */
function fourDigits(bytes: Uint8Array, at: number): number {
  const a = bytes[at] - ZERO
  const b = bytes[at + 1] - ZERO
  const c = bytes[at + 2] - ZERO
  const d = bytes[at + 3] - ZERO
  if (!isDigit(a) || !isDigit(b) || !isDigit(c) || !isDigit(d)) return -1
  return Math.imul(a, 1000) + Math.imul(b, 100) + Math.imul(c, 10) + d
}

const isDigit = (value: number): boolean => value >>> 0 <= 9
/** Whether a number may go on with `byte`. */
const isOfNumber = (byte: number): boolean =>
  isDigit(byte - ZERO) || byte === DOT || byte === MINUS || byte === PLUS || (byte | 32) === SMALL_E

/**
 * (`a` + `b`) / 10 to the power of `decimals`, rounded once, as reading the decimal is; NaN where that is not certain. `a` is
 * exact and not less than `b`. The quotient is known to twice the digits of a double (Dekker's product gives what is left of
 * it), so only those that come very near to a half of the last digit are uncertain.
 */
function quotient(a: number, b: number, decimals: number): number {
  const power = POWERS[decimals]
  const sum = a + b
  const rest = b - (sum - a)
  if (sum <= 2 ** 53) return sum / power
  const inverse = INVERSES[decimals]
  const near = sum * inverse
  const nearUpper = SPLITTER * near - (SPLITTER * near - near)
  const nearLower = near - nearUpper
  const product = near * power
  const upper = UPPER[decimals]
  const lower = LOWER[decimals]
  const error = nearUpper * upper - product + (nearUpper * lower + nearLower * upper) + nearLower * lower
  const more = (sum - product - error + rest) * inverse
  const doubt = near * 2 ** -80
  const least = near + (more - doubt)
  return least === near + (more + doubt) ? least : Number.NaN
}
