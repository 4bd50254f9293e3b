import { Attributes, AttributesBuilder } from './attributes.ts'
import type { Datapoint } from './datapoint.ts'
import { GrowingFloats } from './growing.ts'

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

/** Items laid out. @param floats how many numbers all vectors have */
export function gathered(items: Iterable<Datapoint>, floats: number): Items {
  const all = new GatheredItems(floats)
  for (const item of items) all.add(item)
  return all.finish()
}

/** Only these rows of `items`, ascending. The vectors are moved to where they lie now. */
export function onlyRows({ ids, vectors, attributes }: Items, rows: readonly number[]): Items {
  const width = vectors.length / ids.length
  for (const [to, row] of rows.entries()) vectors.copyWithin(to * width, row * width, (row + 1) * width)
  function* kept() {
    for (const row of rows) yield { id: ids[row], ...attributes.of(row) }
  }
  return {
    ids: rows.map((row) => ids[row]),
    vectors: vectors.subarray(0, rows.length * width),
    attributes: Attributes.of(kept()),
  }
}
