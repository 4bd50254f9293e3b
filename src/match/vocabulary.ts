import { type Json, parseJson } from '../json/parse.ts'
import { isMembers } from '../serve/values.ts'

/** A vocabulary that may have made an input's ids. */
export interface KnownVocabulary {
  /** For people: its file, or the table of the export. */
  readonly name: string
  /** Shared by the steps that look it up: they are told apart by it. */
  readonly tokens: string[]
  /** The id of the first token, where the file says it. */
  readonly first?: number
  /** The input or raw feature that it is for; by default it is tried for all. */
  readonly of?: string
  /** True where `tokens` are the lines of the file as they are, so that preprocess.json may name the file. */
  readonly plain: boolean
}

/**
 * Reads a vocabulary: a token a line, tokens before a tab, a JSON list, or a JSON object of ids by token (Keras's word_index).
 * @throws {TypeError} where it is JSON of something else
 * @throws {RangeError} where it is empty, a token comes twice, or ids are left out
 */
export function readVocabulary(text: string, name: string, of?: string): KnownVocabulary {
  const read = /^\s*[[{]"?/.test(text) ? (fromJson(text, name) ?? fromLines(text)) : fromLines(text)
  const { tokens } = read
  if (tokens.length === 0) throw new RangeError(`${name}: the vocabulary is empty`)
  const seen = new Set<string>()
  for (const token of tokens) {
    if (seen.has(token)) throw new RangeError(`${name}: the token ${JSON.stringify(token)} comes twice`)
    seen.add(token)
  }
  return { name, ...read, ...(of === undefined ? {} : { of }) }
}

type Read = Pick<KnownVocabulary, 'tokens' | 'first' | 'plain'>

function fromLines(text: string): Read {
  const lines = text.replace(/\r/g, '').split('\n')
  if (lines[lines.length - 1] === '') lines.pop()
  const tabbed = lines.length > 0 && lines.every((line) => line.includes('\t'))
  return tabbed
    ? { tokens: lines.map((line) => line.slice(0, line.indexOf('\t'))), plain: false }
    : { tokens: lines, plain: true }
}

/** Null where the text is no JSON: a vocabulary of WordPiece starts with `[PAD]`. */
function fromJson(text: string, name: string): Read | null {
  let json: Json
  try {
    json = parseJson(text)
  } catch {
    return null
  }
  if (Array.isArray(json)) {
    if (!json.every((token: Json) => typeof token === 'string'))
      throw new TypeError(`${name}: a vocabulary as a JSON list must hold text`)
    return { tokens: json as string[], plain: false }
  }
  const ids = isMembers(json) ? Object.entries(json).sort(([, a], [, b]) => Number(a) - Number(b)) : []
  const first = Number(ids[0]?.[1])
  if (!ids.every(([, id], i) => id === first + i))
    throw new RangeError(`${name}: the ids of a vocabulary as a JSON object must follow each other without a gap`)
  return { tokens: ids.map(([token]) => token), first, plain: false }
}
