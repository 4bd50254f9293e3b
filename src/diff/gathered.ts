import { apart, distance } from './weights.ts'

export type Element = number | bigint | string

/** Pairs of single scores that are kept to be ranked against each other: of more, as many are drawn. */
const DRAWN = 1 << 16

/** What two models said of one output, line after line: sums, and no more of a line than its score. */
export class Gathered {
  values = 0
  different = 0
  private max = 0
  private sum = 0
  private texts = false
  /** Of the lines that rank several. */
  private readonly ranked = { sum: 0, count: 0 }
  private lists = 0
  private singles = 0
  private readonly drawn = { a: [] as number[], b: [] as number[] }
  private state = 0x9e3779b9

  /** @param areScores whether they are one value a row each, which rank the rows */
  add(a: readonly Element[], b: readonly Element[], areScores: boolean): void {
    for (const [i, value] of a.entries()) this.compare(value, b[i])
    this.values += a.length
    if (!areScores) return
    if (a.length > 1) {
      this.lists++
      const agreement = spearman(a.map(Number), b.map(Number))
      if (agreement === null) return
      this.ranked.sum += agreement
      this.ranked.count++
    } else if (a.length === 1) this.draw(Number(a[0]), Number(b[0]))
  }

  /** The largest and the mean absolute difference; 0 of texts. */
  get distance(): { readonly max: number; readonly mean: number } {
    if (this.texts) return { max: 0, mean: 0 }
    return { max: this.max, mean: this.values === 0 ? 0 : this.sum / this.values }
  }

  /** The mean over the lines that rank several; where every line has one score, over all of them. Null where nothing is ranked. */
  get rank(): number | null {
    const { ranked, drawn } = this
    if (this.lists > 0) return ranked.count === 0 ? null : ranked.sum / ranked.count
    return this.singles < 2 || this.singles !== this.values ? null : spearman(drawn.a, drawn.b)
  }

  private compare(a: Element, b: Element): void {
    if (a !== b && !Object.is(a, b)) this.different++
    if (typeof a === 'string' || typeof b === 'string') {
      this.texts = true
      return
    }
    const off = apart(a, b)
    this.max = Math.max(this.max, off)
    this.sum += off
  }

  /** Of however many came each is kept with the same chance (Vitter's algorithm R), and the same ones in every run. */
  private draw(a: number, b: number): void {
    const { drawn } = this
    const at = this.singles < DRAWN ? this.singles : Math.floor(this.random() * (this.singles + 1))
    this.singles++
    if (at >= DRAWN) return
    drawn.a[at] = a
    drawn.b[at] = b
  }

  /** A number of [0, 1): xorshift, 32 bits. */
  private random(): number {
    this.state ^= this.state << 13
    this.state ^= this.state >>> 17
    this.state ^= this.state << 5
    return (this.state >>> 0) / 2 ** 32
  }
}

/** The correlation of the ranks, ties sharing theirs; null where one side has ties only. */
function spearman(a: readonly number[], b: readonly number[]): number | null {
  const middle = (a.length - 1) / 2
  const [x, y] = [ranks(a).map((rank) => rank - middle), ranks(b).map((rank) => rank - middle)]
  return distance(x, y).cosine
}

/** From 0 up; NaNs, which are tied, are below all numbers. */
function ranks(values: readonly number[]): number[] {
  const keys = values.map((value) => (Number.isNaN(value) ? null : value))
  // Infinities less infinities are NaN, by which nothing can be sorted.
  const compare = (a: number | null, b: number | null): number =>
    a === b ? 0 : a === null || (b !== null && a < b) ? -1 : 1
  const order = [...keys.keys()].sort((i, j) => compare(keys[i], keys[j]))
  const found = new Array<number>(values.length)
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && keys[order[end]] === keys[order[start]]) end++
    for (let i = start; i < end; i++) found[order[i]] = (start + end - 1) / 2
  }
  return found
}
