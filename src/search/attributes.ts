import { Strings } from '../tensor/strings.ts'
import type { Datapoint, NumericRestrict } from './datapoint.ts'
import { type NumberStats, Numbers, NumbersBuilder, type NumberValues } from './numbers.ts'
import { checkNumber, checkRestricts, checkText } from './restricts.ts'
import { type NamespaceStats, Tokens, TokensBuilder } from './tokens.ts'

/** Arrays that a store keeps under their names without knowing what they mean. */
export type AttributeArrays = Readonly<
  Record<string, Uint8Array | Uint32Array | BigInt64Array | Float32Array | Float64Array>
>

/** What the items of an index have besides their vectors, counted. */
export interface AttributeStats {
  readonly items: number
  readonly restricts: readonly NamespaceStats[]
  readonly numericRestricts: readonly NumberStats[]
  /** Different crowding tags, items that have one, and the largest crowd. */
  readonly crowding: {
    readonly tags: number
    readonly items: number
    readonly largest: { readonly tag: string; readonly items: number } | null
  }
}

/**
 * What items have besides their vectors, as columns: token restricts, numeric restricts, crowding tags. Row i is item i.
 *
 * `arrays()` are, with strings as UTF-8 `….bytes` and u32 `….offsets` as Arrow has them: `items` u32[1];
 * `restricts.namespaces`, `restricts.starts` u32[namespaces + 1] into `restricts.tokens`, and of each token the rows that
 * allow it, `restricts.allow.starts` u32[tokens + 1] into `restricts.allow.rows` u32, and that deny it, likewise;
 * `numeric.namespaces` and of column i `numeric.i.values`, of int64, float32 or float64, and `numeric.i.rows` u32, empty
 * where every row has a value; `crowding.tags` and `crowding.of` u32[items], 0 for none, else the tag's number from 1.
 */
export class Attributes {
  /** How many items. */
  readonly rows: number
  readonly tokens: Tokens
  readonly numbers: Numbers
  /** u32[items]: 0 for no crowding tag, else its number from 1. */
  readonly crowds: Uint32Array
  private readonly tags: Strings

  constructor(rows: number, tokens: Tokens, numbers: Numbers, crowds: Uint32Array, tags: Strings) {
    this.rows = rows
    this.tokens = tokens
    this.numbers = numbers
    this.crowds = crowds
    this.tags = tags
  }

  /** The attributes of `datapoints`, in their order, as `AttributesBuilder` takes them. */
  static of(datapoints: Iterable<Omit<Datapoint, 'embedding'>>): Attributes {
    const builder = new AttributesBuilder()
    for (const datapoint of datapoints) builder.add(datapoint)
    return builder.finish()
  }

  /** What `arrays()` gave. @throws {RangeError} where an array is missing or another than it should be */
  static from(arrays: AttributeArrays): Attributes {
    const [rows] = arrayOf(arrays, 'items', Uint32Array, 1)
    const [namespaces, names, tags] = ['restricts.namespaces', 'restricts.tokens', 'crowding.tags'].map((name) =>
      stringsOf(arrays, name),
    )
    const postings = (list: 'allow' | 'deny') => ({
      starts: arrayOf(arrays, `restricts.${list}.starts`, Uint32Array, names.length + 1),
      rows: arrayOf(arrays, `restricts.${list}.rows`, Uint32Array),
    })
    const starts = arrayOf(arrays, 'restricts.starts', Uint32Array, namespaces.length + 1)
    const tokens = new Tokens(
      { namespaces, starts, tokens: names, allow: postings('allow'), deny: postings('deny') },
      rows,
    )
    const numeric = stringsOf(arrays, 'numeric.namespaces')
    const columns = Array.from({ length: numeric.length }, (_, i) => ({
      namespace: numeric.text(i),
      values: valuesOf(arrays, `numeric.${i}.values`),
      rows: arrayOf(arrays, `numeric.${i}.rows`, Uint32Array),
    }))
    const crowds = arrayOf(arrays, 'crowding.of', Uint32Array, rows)
    return new Attributes(rows, tokens, new Numbers(columns, rows), crowds, tags)
  }

  arrays(): AttributeArrays {
    const { namespaces, starts, tokens, allow, deny } = this.tokens.arrays
    const { columns } = this.numbers
    return {
      items: Uint32Array.of(this.rows),
      ...named('restricts.namespaces', namespaces),
      'restricts.starts': starts,
      ...named('restricts.tokens', tokens),
      'restricts.allow.starts': allow.starts,
      'restricts.allow.rows': allow.rows,
      'restricts.deny.starts': deny.starts,
      'restricts.deny.rows': deny.rows,
      ...named('numeric.namespaces', Strings.from(columns.map(({ namespace }) => namespace))),
      ...Object.fromEntries(
        columns.flatMap(({ values, rows }, i) => [
          [`numeric.${i}.values`, values],
          [`numeric.${i}.rows`, rows],
        ]),
      ),
      ...named('crowding.tags', this.tags),
      'crowding.of': this.crowds,
    }
  }

  /** The attributes of item `row`; a namespace without tokens is none. */
  of(row: number): Omit<Datapoint, 'id' | 'embedding'> {
    const [restricts, numericRestricts] = [this.tokens.of(row), this.numbers.of(row)]
    const crowdingTag = this.crowdingTag(row)
    return {
      ...(restricts.length > 0 && { restricts }),
      ...(numericRestricts.length > 0 && { numericRestricts }),
      ...(crowdingTag !== undefined && { crowdingTag }),
    }
  }

  crowdingTag(row: number): string | undefined {
    const number = this.crowds[row]
    return number === 0 ? undefined : this.tags.text(number - 1)
  }

  stats(): AttributeStats {
    const sizes = new Uint32Array(this.tags.length + 1)
    for (const number of this.crowds) sizes[number]++
    let largest = 0
    for (let number = 1; number < sizes.length; number++)
      if (largest === 0 || sizes[number] > sizes[largest]) largest = number
    return {
      items: this.rows,
      restricts: this.tokens.stats(),
      numericRestricts: this.numbers.stats(),
      crowding: {
        tags: this.tags.length,
        items: this.rows - sizes[0],
        largest: largest === 0 ? null : { tag: this.tags.text(largest - 1), items: sizes[largest] },
      },
    }
  }
}

/** Gathers the attributes of items that come one after the other; of an item itself nothing is kept. */
export class AttributesBuilder {
  private readonly tokens = new TokensBuilder()
  private readonly numbers = new NumbersBuilder()
  private readonly crowds: number[] = []
  private readonly tags = new Map<string, number>()

  /**
   * The next item. An empty crowding tag is none, as in protobuf; a namespace that is given twice has the tokens of both.
   * @throws {TypeError | RangeError} where a restrict has no namespace, a number is not of its type, is NaN, or is the second of a
   * namespace, or a tag or a token is no text; the item is named
   */
  add({ id, restricts = [], numericRestricts = [], crowdingTag = '' }: Omit<Datapoint, 'embedding'>): void {
    try {
      checkText('a crowding tag', crowdingTag)
      checkRestricts(restricts)
      checkNumbers(numericRestricts)
    } catch (error) {
      ;(error as Error).message = `item ${JSON.stringify(id)}: ${(error as Error).message}`
      throw error
    }
    this.tokens.add(restricts)
    this.numbers.add(numericRestricts)
    this.crowds.push(crowdingTag === '' ? 0 : this.numberOf(crowdingTag))
  }

  finish(): Attributes {
    const { crowds, tags, tokens, numbers } = this
    const names = Strings.from([...tags.keys()])
    return new Attributes(crowds.length, tokens.finish(), numbers.finish(), Uint32Array.from(crowds), names)
  }

  private numberOf(tag: string): number {
    const number = this.tags.get(tag) ?? this.tags.size + 1
    this.tags.set(tag, number)
    return number
  }
}

function checkNumbers(restricts: readonly NumericRestrict[]): void {
  const seen = new Set<string>()
  for (const restrict of restricts) {
    checkNumber(restrict)
    if (seen.has(restrict.namespace))
      throw new RangeError(`the namespace ${JSON.stringify(restrict.namespace)} has two numbers; an item has one`)
    seen.add(restrict.namespace)
  }
}

const named = (name: string, { bytes, offsets }: Strings) => ({
  [`${name}.bytes`]: bytes,
  [`${name}.offsets`]: offsets,
})

/** @throws {RangeError} where there is no such array of that kind, or not of that length */
function arrayOf<T extends Uint8Array | Uint32Array>(
  arrays: AttributeArrays,
  name: string,
  kind: { new (): T; readonly name: string },
  length?: number,
): T {
  const array = arrays[name]
  if (!(array instanceof kind) || (length !== undefined && array.length !== length))
    throw new RangeError(
      `the attributes must have ${name}, ${kind.name}${length === undefined ? '' : ` of ${length}`}; got ${array === undefined ? 'none' : `${array.constructor.name} of ${array.length}`}`,
    )
  return array
}

const stringsOf = (arrays: AttributeArrays, name: string): Strings =>
  new Strings(arrayOf(arrays, `${name}.bytes`, Uint8Array), arrayOf(arrays, `${name}.offsets`, Uint32Array))

function valuesOf(arrays: AttributeArrays, name: string): NumberValues {
  const array = arrays[name]
  if (array instanceof BigInt64Array || array instanceof Float32Array || array instanceof Float64Array) return array
  throw new RangeError(`the attributes must have ${name}, of int64, float32 or float64`)
}
