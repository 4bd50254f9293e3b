/** Which rows of an index: a bit a row, row r is bit r mod 32 of word r div 32. */
export class RowSet {
  /** How many rows the index has. */
  readonly rows: number
  /** What lies past the last row is 0. */
  readonly bits: Uint32Array<ArrayBuffer>

  private constructor(rows: number, bits: Uint32Array<ArrayBuffer>) {
    this.rows = rows
    this.bits = bits
  }

  static none(rows: number): RowSet {
    return new RowSet(rows, new Uint32Array((rows + 31) >>> 5))
  }

  static all(rows: number): RowSet {
    const set = RowSet.none(rows)
    set.bits.fill(0xffffffff)
    if ((rows & 31) !== 0) set.bits[rows >>> 5] = 2 ** (rows & 31) - 1
    return set
  }

  /** @param bits as the set has them */
  static from(rows: number, bits: Uint32Array<ArrayBuffer>): RowSet {
    return new RowSet(rows, bits)
  }

  static of(rows: number, members: Iterable<number>): RowSet {
    const set = RowSet.none(rows)
    for (const row of members) set.add(row)
    return set
  }

  has(row: number): boolean {
    return (this.bits[row >>> 5] & (1 << (row & 31))) !== 0
  }

  add(row: number): void {
    this.bits[row >>> 5] |= 1 << (row & 31)
  }

  delete(row: number): void {
    this.bits[row >>> 5] &= ~(1 << (row & 31))
  }

  /** Leaves only what is in `other`, too. */
  intersect({ bits }: RowSet): void {
    for (let i = 0; i < bits.length; i++) this.bits[i] &= bits[i]
  }

  copy(): RowSet {
    return new RowSet(this.rows, this.bits.slice())
  }

  /** Rows `start` (a multiple of 32) up to `end`, numbered from 0. */
  slice(start: number, end: number): RowSet {
    const part = new RowSet(end - start, this.bits.slice(start >>> 5, (end + 31) >>> 5))
    if ((end & 31) !== 0 && part.bits.length > 0) part.bits[part.bits.length - 1] &= 2 ** (end & 31) - 1
    return part
  }

  get size(): number {
    let size = 0
    for (const word of this.bits) size += ones(word)
    return size
  }

  /** The members, ascending. */
  list(): Int32Array<ArrayBuffer> {
    const members = new Int32Array(this.size)
    let next = 0
    for (let i = 0; i < this.bits.length; i++)
      for (let word = this.bits[i]; word !== 0; word &= word - 1)
        members[next++] = 32 * i + 31 - Math.clz32(word & -word)
    return members
  }
}

/** How many bits of a word are set: sums of neighbours, of two, four and eight bits. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
