import { parseJson } from '../../json/parse.ts'
import type { NumberedRow } from '../piece.ts'

const NEWLINE = 10
const whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const BLANK = /^[\t-\r ]*$/
const MARK = '\uFEFF'

/**
 * The lines in `bytes` that are not empty, each a JSON document. A line ends at a line feed and nowhere else: JSON may hold
 * U+2028 in a string.
 * @param first the number of the first line
 */
export function readLines(bytes: Uint8Array, first: number): NumberedRow[] {
  const lines: NumberedRow[] = []
  for (const [i, text] of decoded(bytes).entries()) {
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
