import type { Json } from '../serve/json.ts'
import { jsonText, parseJson } from '../serve/json.ts'
import type { RowName } from './row.ts'
import type { Utf8Writer } from './text.ts'

const NEWLINE = 10
const whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const BLANK = /^[\t-\r ]*$/
const MARK = '\uFEFF'

/** One line that is not empty. */
export interface NumberedLine {
  /** Its number in the input, from 1. */
  readonly number: number
  /** @throws {TypeError} where it is not UTF-8, {SyntaxError} where it is not JSON */
  json(): Json
}

/**
 * The lines in `bytes` that are not empty. A line ends at a line feed and nowhere else: JSON may hold U+2028 in a string.
 * @param first the number of the first line
 */
export function linesOf(bytes: Uint8Array, first: number): NumberedLine[] {
  const texts = decoded(bytes)
  const lines: NumberedLine[] = []
  for (const [i, text] of texts.entries()) {
    if (text === null) lines.push({ number: first + i, json: refuse })
    else if (!BLANK.test(text))
      lines.push({ number: first + i, json: () => parseJson(text.startsWith(MARK) ? text.slice(1) : text) })
  }
  return lines
}

/** All at once, and where that fails line by line: null for each that is not UTF-8. */
function decoded(bytes: Uint8Array): (string | null)[] {
  try {
    return whole.decode(bytes).split('\n')
  } catch {
    const texts: (string | null)[] = []
    for (let start = 0; start <= bytes.length; ) {
      const at = bytes.indexOf(NEWLINE, start)
      const end = at < 0 ? bytes.length : at
      try {
        texts.push(whole.decode(bytes.subarray(start, end)))
      } catch {
        texts.push(null)
      }
      start = end + 1
    }
    return texts
  }
}

function refuse(): never {
  throw new TypeError('the line is not UTF-8; bytes that are no text are written {"b64": "…"}')
}

/** `{"id": …, "embedding": […]}`, or with `"error"` where `answer` is what is wrong with the row. */
export function writeAnswer(writer: Utf8Writer, name: RowName, answer: Float32Array | string): void {
  let members = '{'
  for (const key in name) members += `"${key}": ${jsonText(name[key as keyof RowName] as Json)}, `
  if (typeof answer === 'string') writer.text(`${members}"error": ${JSON.stringify(answer)}}\n`)
  else {
    writer.text(`${members}"embedding": `)
    writer.floats(answer)
    writer.text('}\n')
  }
}
