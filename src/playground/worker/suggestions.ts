import type { Table } from '../../graph/index.ts'

/** Words that are shown at a time. */
const SHOWN = 40

/** The words of a vocabulary, to be found by what a person has typed. */
export class Suggestions {
  private readonly words: readonly string[]
  private lower: readonly string[] | null = null

  /** @param known the first words, where there is no table */
  constructor(table: Table | null, known: readonly (string | number | bigint)[]) {
    this.words = table === null ? known.map(String) : wordsOf(table)
  }

  /** Words that begin with `text`, then others that hold it, each in the vocabulary's own order. */
  find(text: string): string[] {
    if (text === '') return this.words.slice(0, SHOWN)
    this.lower ??= this.words.map((word) => word.toLowerCase())
    const wanted = text.toLowerCase()
    const [first, then]: [string[], string[]] = [[], []]
    for (const [i, word] of this.lower.entries()) {
      if (word.startsWith(wanted)) first.push(this.words[i])
      else if (then.length < SHOWN && word.includes(wanted)) then.push(this.words[i])
      if (first.length === SHOWN) break
    }
    return [...first, ...then].slice(0, SHOWN)
  }
}

function wordsOf(table: Table): string[] {
  const { keys } = table.export()
  if (keys.dtype === 'string')
    return Array.from({ length: keys.data.length }, (_, i) => keys.data.text(i)).filter(Boolean)
  return Array.from(keys.data as ArrayLike<number | bigint>, String)
}
