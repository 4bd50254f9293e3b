import { Strings } from '../tensor/strings.ts'
import type { Restrict } from './datapoint.ts'
import { RowSet } from './rowset.ts'

/** The arrays of token restricts; tokens are numbered namespace by namespace. */
export interface TokenArrays {
  readonly namespaces: Strings
  /** Namespace n has the tokens starts[n] up to starts[n + 1]. */
  readonly starts: Uint32Array
  readonly tokens: Strings
  readonly allow: Postings
  readonly deny: Postings
}

/** The rows of each token: of token t `rows[starts[t] … starts[t + 1])`, ascending. */
export interface Postings {
  readonly starts: Uint32Array
  readonly rows: Uint32Array
}

/** What a namespace holds. */
export interface NamespaceStats {
  readonly namespace: string
  /** How many different tokens. */
  readonly tokens: number
  /** Items that allow a token there, and that deny one. */
  readonly allowing: number
  readonly denying: number
}

/** Token restricts as columns: for each token the rows that allow it and the rows that deny it. */
export class Tokens {
  readonly arrays: TokenArrays
  private readonly rows: number
  private numbers: Map<string, Map<string, number>> | null = null
  private forward: { readonly allow: Postings; readonly deny: Postings } | null = null

  constructor(arrays: TokenArrays, rows: number) {
    this.arrays = arrays
    this.rows = rows
  }

  /** Takes from `set` what `restrict` of a query does not let through. */
  narrow(set: RowSet, { namespace, allow = [], deny = [] }: Restrict): void {
    const { arrays } = this
    const numbers = this.dictionary().get(namespace)
    const known = (tokens: readonly string[]) => tokens.flatMap((token) => numbers?.get(token) ?? [])
    const allowed = known(allow)
    if (allow.length > 0) {
      const kept = set.copy()
      kept.bits.fill(0)
      for (const token of allowed) each(arrays.allow, token, (row) => kept.add(row))
      set.intersect(kept)
    }
    for (const token of allowed) each(arrays.deny, token, (row) => set.delete(row))
    for (const token of known(deny)) each(arrays.allow, token, (row) => set.delete(row))
  }

  /** The restricts of a row, one a namespace, its tokens in the order in which the index met them. */
  of(row: number): Restrict[] {
    const { namespaces, starts, tokens } = this.arrays
    this.forward ??= {
      allow: turnedBack(this.arrays.allow, this.rows),
      deny: turnedBack(this.arrays.deny, this.rows),
    }
    const [allow, deny] = [listed(this.forward.allow, row), listed(this.forward.deny, row)]
    if (allow.length + deny.length === 0) return []
    const found: Restrict[] = []
    for (let n = 0; n < namespaces.length; n++) {
      const own = (list: Uint32Array) =>
        [...list].filter((token) => token >= starts[n] && token < starts[n + 1]).map((token) => tokens.text(token))
      const [allowed, denied] = [own(allow), own(deny)]
      if (allowed.length + denied.length > 0)
        found.push({
          namespace: namespaces.text(n),
          ...(allowed.length > 0 && { allow: allowed }),
          ...(denied.length > 0 && { deny: denied }),
        })
    }
    return found
  }

  stats(): NamespaceStats[] {
    const { namespaces, starts, allow, deny } = this.arrays
    const items = ({ starts: at, rows }: Postings, n: number) =>
      RowSet.of(this.rows, rows.subarray(at[starts[n]], at[starts[n + 1]])).size
    return Array.from({ length: namespaces.length }, (_, n) => ({
      namespace: namespaces.text(n),
      tokens: starts[n + 1] - starts[n],
      allowing: items(allow, n),
      denying: items(deny, n),
    }))
  }

  private dictionary(): Map<string, Map<string, number>> {
    const { namespaces, starts, tokens } = this.arrays
    this.numbers ??= new Map(
      Array.from({ length: namespaces.length }, (_, n) => {
        const own = new Map<string, number>()
        for (let token = starts[n]; token < starts[n + 1]; token++) own.set(tokens.text(token), token)
        return [namespaces.text(n), own]
      }),
    )
    return this.numbers
  }
}

const listed = ({ starts, rows }: Postings, at: number): Uint32Array => rows.subarray(starts[at], starts[at + 1])

function each({ starts, rows }: Postings, token: number, take: (row: number) => void): void {
  for (let i = starts[token]; i < starts[token + 1]; i++) take(rows[i])
}

/** Where each begins of what lies one after the other, and where the last ends. */
function startsOf(sizes: Uint32Array): Uint32Array<ArrayBuffer> {
  const starts = new Uint32Array(sizes.length + 1)
  for (let i = 0; i < sizes.length; i++) starts[i + 1] = starts[i] + sizes[i]
  return starts
}

/** Gathers the token restricts of rows that come one after the other. */
export class TokensBuilder {
  /** The number of each token, as they were met. */
  private readonly numbers = new Map<string, Map<string, number>>()
  private readonly lists = { allow: new Pairs(), deny: new Pairs() }
  private count = 0
  private rows = 0

  /** @param restricts those of the next row */
  add(restricts: readonly Restrict[]): void {
    for (const restrict of restricts) {
      let own = this.numbers.get(restrict.namespace)
      if (own === undefined) {
        own = new Map()
        this.numbers.set(restrict.namespace, own)
      }
      for (const list of ['allow', 'deny'] as const)
        for (const token of restrict[list] ?? []) {
          let number = own.get(token)
          if (number === undefined) {
            number = this.count++
            own.set(token, number)
          }
          this.lists[list].add(number, this.rows)
        }
    }
    this.rows++
  }

  finish(): Tokens {
    const { numbers, lists, count, rows } = this
    // From here on namespace by namespace.
    const renumbered = new Uint32Array(count)
    let next = 0
    for (const own of numbers.values()) for (const number of own.values()) renumbered[number] = next++
    const arrays = {
      namespaces: Strings.from([...numbers.keys()]),
      starts: startsOf(Uint32Array.from(numbers.values(), (own) => own.size)),
      tokens: Strings.from([...numbers.values()].flatMap((own) => [...own.keys()])),
      allow: lists.allow.postings(renumbered),
      deny: lists.deny.postings(renumbered),
    }
    return new Tokens(arrays, rows)
  }
}

/** Tokens and rows that go together, row after row. */
class Pairs {
  private readonly tokens: number[] = []
  private readonly rows: number[] = []
  /** The row that each token was met in last: one that a row names twice counts once. */
  private readonly last: number[] = []

  add(token: number, row: number): void {
    if (this.last[token] === row) return
    this.last[token] = row
    this.tokens.push(token)
    this.rows.push(row)
  }

  postings(renumbered: Uint32Array): Postings {
    const sizes = new Uint32Array(renumbered.length)
    for (const token of this.tokens) sizes[renumbered[token]]++
    const starts = startsOf(sizes)
    const [rows, next] = [new Uint32Array(this.rows.length), starts.slice()]
    for (let i = 0; i < this.rows.length; i++) rows[next[renumbered[this.tokens[i]]]++] = this.rows[i]
    return { starts, rows }
  }
}

/** Of each token's rows each row's tokens, ascending. */
function turnedBack({ starts, rows }: Postings, count: number): Postings {
  const sizes = new Uint32Array(count)
  for (const row of rows) sizes[row]++
  const at = startsOf(sizes)
  const [tokens, next] = [new Uint32Array(rows.length), at.slice()]
  for (let token = 0; token < starts.length - 1; token++)
    for (let i = starts[token]; i < starts[token + 1]; i++) tokens[next[rows[i]]++] = token
  return { starts: at, rows: tokens }
}
