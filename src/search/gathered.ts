import { StringIndex } from '../tensor/keyindex.ts'
import { Strings } from '../tensor/strings.ts'
import { Attributes, AttributesBuilder } from './attributes.ts'
import type { Datapoint } from './datapoint.ts'
import { GrowingFloats } from './growing.ts'
import { RowSet } from './rowset.ts'

/** Items as an index holds them. */
export interface Items {
  readonly ids: readonly string[]
  /** `float32[ids.length, width]` */
  readonly vectors: Float32Array
  readonly attributes: Attributes
}

/** Items of one width that come one after the other, laid out as an index holds them; of an item itself nothing is kept. */
export class GatheredItems {
  private readonly ids: string[] = []
  private readonly vectors: GrowingFloats
  private readonly attributes = new AttributesBuilder()

  /** @param floats how many numbers all vectors will have, where that is known */
  constructor(floats = 0) {
    this.vectors = new GrowingFloats(floats)
  }

  /** @throws {TypeError | RangeError} for attributes that are none */
  add(item: Datapoint): void {
    this.attributes.add(item)
    this.ids.push(item.id)
    this.vectors.push(item.embedding)
  }

  /** The items in the order in which they came. */
  finish(): Items {
    return { ids: this.ids, vectors: this.vectors.all(), attributes: this.attributes.finish() }
  }
}

/** Ids of which some are there twice. */
export interface Twice {
  /** The first row whose id an earlier one has, and that one. */
  readonly second: number
  readonly first: number
  /** The last row of each id, ascending. */
  readonly last: Int32Array
}

/** Which ids are there twice; null where none is. Once all are there that takes a tenth of the room of a map that grows with them. */
export function twiceIn(ids: readonly string[]): Twice | null {
  const names = Strings.from(ids)
  const index = new StringIndex(names)
  const { bytes, offsets } = names
  const last = RowSet.all(ids.length)
  /** Of each row that is the first of its id, the last one so far. */
  const latest = new Uint32Array(ids.length)
  let found: Omit<Twice, 'last'> | null = null
  for (let row = 0; row < ids.length; row++) {
    const first = index.find(bytes, offsets[row], offsets[row + 1])
    if (first !== row) {
      found ??= { second: row, first }
      last.delete(latest[first])
    }
    latest[first] = row
  }
  return found === null ? null : { ...found, last: last.list() }
}

/** Only these rows of `items`, ascending. The vectors are moved to where they lie now. */
export function onlyRows({ ids, vectors, attributes }: Items, rows: Int32Array): Items {
  const width = vectors.length / ids.length
  for (const [to, row] of rows.entries()) vectors.copyWithin(to * width, row * width, (row + 1) * width)
  function* kept() {
    for (const row of rows) yield { id: ids[row], ...attributes.of(row) }
  }
  return {
    ids: Array.from(rows, (row) => ids[row]),
    vectors: vectors.subarray(0, rows.length * width),
    attributes: Attributes.of(kept()),
  }
}
