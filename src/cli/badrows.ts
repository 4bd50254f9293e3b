import { parseJson } from '../json/parse.ts'
import type { Members } from '../serve/values.ts'
import { report } from './exit.ts'

/** Bad rows that have no place in the output and no file of their own: a line each on standard error. */
export function reportBadRows(lines: Uint8Array): void {
  if (lines.length === 0) return
  for (const text of new TextDecoder().decode(lines).trimEnd().split('\n')) {
    const { file, line, error } = parseJson(text) as Members
    report(new Error(`${file}:${line}: ${error}`))
  }
}
