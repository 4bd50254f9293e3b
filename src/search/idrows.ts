import { StringIndex } from '../tensor/keyindex.ts'
import { Strings } from '../tensor/strings.ts'

/** The rows of each id in a list of them. A map from each to its row would take twice the room of the list. */
export class IdRows {
  private readonly ids: readonly string[]
  private readonly index: StringIndex
  /** Of an id that stands there several times, by its first row, the others. */
  private readonly others = new Map<number, number[]>()

  constructor(ids: readonly string[]) {
    this.ids = ids
    const names = Strings.from(ids)
    this.index = new StringIndex(names)
    const { bytes, offsets } = names
    for (let i = 0; i < ids.length; i++) {
      const first = this.index.find(bytes, offsets[i], offsets[i + 1])
      if (first === i) continue
      const others = this.others.get(first) ?? []
      this.others.set(first, others)
      others.push(i)
    }
  }

  /** The rows of `id`, ascending. */
  of(id: string): readonly number[] {
    const bytes = encoder.encode(id)
    const first = this.index.find(bytes, 0, bytes.length)
    if (first < 0) return []
    // Halves of surrogate pairs are all one in UTF-8.
    return [first, ...(this.others.get(first) ?? [])].filter((row) => this.ids[row] === id)
  }

  /** The first row whose id stands before it too, and where it stands first; null where each stands once. */
  get twice(): { readonly first: number; readonly second: number } | null {
    let found: { readonly first: number; readonly second: number } | null = null
    for (const [first, [second]] of this.others) if (found === null || second < found.second) found = { first, second }
    return found
  }

  /** The last row of each id, ascending. */
  last(): readonly number[] {
    const again = new Set<number>()
    for (const [first, others] of this.others) for (const row of [first, ...others.slice(0, -1)]) again.add(row)
    return [...this.ids.keys()].filter((row) => !again.has(row))
  }
}

const encoder = new TextEncoder()
