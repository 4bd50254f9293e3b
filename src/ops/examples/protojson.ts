import { InvalidArgumentError } from '../../errors.ts'

/** JSON as it was written: numbers keep their digits, objects their order and their repeated names. */
export type Json =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [name: string, value: Json])[] }
  | { readonly kind: 'array'; readonly items: readonly Json[] }
  | { readonly kind: 'string' | 'number'; readonly text: string }
  | { readonly kind: 'true' | 'false' | 'null' }

/** How deep protobuf's parser follows (json_stream_parser.cc, kDefaultMaxRecursionDepth). */
const DEEPEST = 100

/**
 * Reads `text` as protobuf's json_stream_parser.cc does: JSON, and also strings in single quotes, names without
 * quotes, and a comma before a closing bracket.
 * @throws {InvalidArgumentError} where it is not such JSON or nested more than 100 deep
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text)
  const json = parser.value(0)
  parser.end()
  return json
}

const SPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?(?![\w.])/y
const WORD = /true|false|null/y
const NAME = /[A-Za-z_$][\w$]*/y
/** A string's characters up to its quote or an escape. */
const PLAIN = { '"': /[^"\\]*/y, "'": /[^'\\]*/y }
const HEX = /[0-9a-fA-F]{4}/y

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

class Parser {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  end(): void {
    this.match(SPACE)
    if (this.at < this.text.length) this.refuse('Parsing terminated before end of input.')
  }

  value(depth: number): Json {
    if (depth > DEEPEST) this.refuse('Message too deep. Max recursion depth reached')
    this.match(SPACE)
    const next = this.text[this.at]
    if (next === '{') return { kind: 'object', entries: this.list('}', () => this.entry(depth)) }
    if (next === '[') return { kind: 'array', items: this.list(']', () => this.value(depth + 1)) }
    if (next === '"' || next === "'") return { kind: 'string', text: this.string(next) }
    const word = this.match(WORD)
    if (word !== null) return { kind: word as 'true' | 'false' | 'null' }
    const text = this.match(NUMBER)
    if (text === null) return this.refuse(next === undefined ? 'Unexpected end of string.' : 'Expected a value.')
    return { kind: 'number', text }
  }

  private entry(depth: number): readonly [string, Json] {
    const quote = this.text[this.at]
    const name = quote === '"' || quote === "'" ? this.string(quote) : this.match(NAME)
    if (name === null) return this.refuse('Expected an object key or }.')
    this.match(SPACE)
    if (this.text[this.at] !== ':') this.refuse('Expected : between key:value pair.')
    this.at++
    return [name, this.value(depth + 1)]
  }

  /** What stands between the bracket here and `close`, separated by commas. */
  private list<T>(close: string, item: () => T): T[] {
    const items: T[] = []
    this.at++
    for (;;) {
      this.match(SPACE)
      if (this.text[this.at] === close) break
      items.push(item())
      this.match(SPACE)
      if (this.text[this.at] === ',') this.at++
      else if (this.text[this.at] !== close) this.refuse(`Expected , or ${close} after a value.`)
    }
    this.at++
    return items
  }

  private string(quote: '"' | "'"): string {
    let value = ''
    this.at++
    for (;;) {
      value += this.match(PLAIN[quote])
      if (this.at >= this.text.length) this.refuse('Closing quote expected in string.')
      if (this.text[this.at++] === quote) break
      const escaped = this.text[this.at++]
      if (escaped === 'u') {
        const hex = this.match(HEX) ?? this.refuse('Invalid escape sequence.')
        value += String.fromCharCode(Number.parseInt(hex, 16))
      } else value += ESCAPES[escaped] ?? escaped ?? ''
    }
    if (!WELL_FORMED.test(value)) this.refuse('Invalid unicode code point.')
    return value
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found === null) return null
    this.at += found[0].length
    return found[0]
  }

  private refuse(problem: string): never {
    throw new InvalidArgumentError(
      `Error while parsing JSON: ${problem}\n${this.text.slice(Math.max(0, this.at - 20), this.at + 20)}`,
    )
  }
}

/** No half of a surrogate pair alone. */
const WELL_FORMED = /^[^\p{Surrogate}]*$/u
