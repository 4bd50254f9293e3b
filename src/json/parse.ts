// JSON as TensorFlow Serving speaks it: NaN and infinities bare, 64-bit integers in full digits both ways.

export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [name: string]: Json }

/**
 * Reads JSON that may hold NaN and Infinity bare, with a sign or short (Inf), as rapidjson does with kParseNanAndInfFlag; an
 * integer past 2^53 becomes a bigint. Text with half a surrogate pair is refused, as there.
 * @param integers 'bigints': every number that is written without a fraction and an exponent, where 1 and 1.0 differ
 * @throws {SyntaxError} for anything else that is not JSON, with the position
 */
export function parseJson(text: string, integers: 'numbers' | 'bigints' = 'numbers'): Json {
  if (integers === 'numbers') {
    try {
      const json = JSON.parse(text) as Json
      if (!isDoubtful(json, text.includes('\\u'))) return json
    } catch (error) {
      // Words that JSON.parse does not know, perhaps.
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return new Reader(text, integers === 'bigints').document()
}

/** Half of a pair is no character: UTF-8 has no bytes for it, and an encoder would put U+FFFD in its place. */
const HALF = /\p{Surrogate}/u
/** What no double has read wrongly. */
const isExact = (number: number): boolean => number > -(2 ** 53) && number < 2 ** 53

/**
 * Whether JSON.parse may have read it wrongly: whole numbers past 2^53, numbers that no double holds, halves of surrogate
 * pairs, and what lies too deep. To walk what came takes a microsecond of a row of 128 floats, a pattern over its text seven.
 * @param escaped whether the text has escapes by which half a pair could come
 */
function isDoubtful(json: Json, escaped: boolean, depth = 0): boolean {
  if (typeof json === 'number') return !isExact(json)
  if (typeof json === 'string') return escaped && HALF.test(json)
  if (json === null || typeof json !== 'object') return false
  if (depth >= DEEPEST) return true
  if (Array.isArray(json)) {
    // Neither by iterating nor by a call of itself for each number: this is done for every request.
    for (let i = 0; i < json.length; i++) {
      const item = json[i] as Json
      if (typeof item === 'number' ? !isExact(item) : isDoubtful(item, escaped, depth + 1)) return true
    }
    return false
  }
  return Object.entries(json).some(
    ([name, value]) => isDoubtful(value, escaped, depth + 1) || isDoubtful(name, escaped),
  )
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const SPACE = /[ \t\n\r]*/y
const WORDS: Readonly<Record<string, Json>> = {
  NaN: Number.NaN,
  '-NaN': Number.NaN,
  Inf: Infinity,
  '-Inf': -Infinity,
  Infinity: Infinity,
  '-Infinity': -Infinity,
  true: true,
  false: false,
  null: null,
}
const WORD = /-?NaN|-?Inf(?:inity)?|true|false|null/y
const DEEPEST = 500

class Reader {
  private readonly text: string
  private readonly exact: boolean
  private at = 0

  constructor(text: string, exact: boolean) {
    this.text = text
    this.exact = exact
  }

  document(): Json {
    const value = this.value(0)
    this.match(SPACE)
    if (this.at < this.text.length) this.fail('nothing more')
    return value
  }

  private value(depth: number): Json {
    if (depth > DEEPEST) this.fail(`at most ${DEEPEST} levels`)
    this.match(SPACE)
    const char = this.text[this.at]
    if (char === '{') return this.object(depth)
    if (char === '[') return this.array(depth)
    if (char === '"') return this.string()
    const word = this.match(WORD)
    if (word !== null) return WORDS[word[0]]
    const number = this.match(NUMBER)
    if (number === null) return this.fail('a value')
    const value = Number(number[0])
    if (!Number.isFinite(value)) this.fail('a number that a double can hold', number[0])
    return number[1] === undefined && number[2] === undefined && (this.exact || !Number.isSafeInteger(value))
      ? BigInt(number[0])
      : value
  }

  private object(depth: number): Json {
    const members: [string, Json][] = []
    this.at++
    this.match(SPACE)
    if (this.skip('}')) return {}
    do {
      this.match(SPACE)
      if (this.text[this.at] !== '"') this.fail('a name in quotes')
      const name = this.string()
      this.match(SPACE)
      if (!this.skip(':')) this.fail('":"')
      members.push([name, this.value(depth + 1)])
      this.match(SPACE)
    } while (this.skip(','))
    if (!this.skip('}')) this.fail('"," or "}"')
    // Not by assignment: a member may be called __proto__.
    return Object.fromEntries(members)
  }

  private array(depth: number): Json {
    const items: Json[] = []
    this.at++
    this.match(SPACE)
    if (this.skip(']')) return items
    do {
      items.push(this.value(depth + 1))
      this.match(SPACE)
    } while (this.skip(','))
    if (!this.skip(']')) this.fail('"," or "]"')
    return items
  }

  private string(): string {
    // Not by a pattern, which takes a place on a stack for each character.
    let end = this.text.indexOf('"', this.at + 1)
    while (end >= 0 && this.isEscaped(end)) end = this.text.indexOf('"', end + 1)
    if (end < 0) return this.fail('a string')
    const quoted = this.text.slice(this.at, end + 1)
    this.at = end + 1
    let text: string
    try {
      // Escapes and control characters are left to it, which refuses what is wrong.
      text = JSON.parse(quoted) as string
    } catch {
      return this.fail('a string without raw control characters')
    }
    if (HALF.test(text)) this.fail('text before this in whole surrogate pairs', quoted)
    return text
  }

  /** Whether the quotation mark at `at` belongs to its string: it has a backslash before it that has none of its own. */
  private isEscaped(at: number): boolean {
    let first = at
    while (this.text[first - 1] === '\\') first--
    return (at - first) % 2 === 1
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found !== null) this.at = pattern.lastIndex
    return found
  }

  private skip(char: string): boolean {
    if (this.text[this.at] !== char) return false
    this.at++
    return true
  }

  private fail(wanted: string, got?: string): never {
    const found = got ?? (this.at < this.text.length ? JSON.stringify(this.text[this.at]) : 'the end')
    throw new SyntaxError(`JSON: expected ${wanted} at position ${this.at}, got ${found}`)
  }
}
