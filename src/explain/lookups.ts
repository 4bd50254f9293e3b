import type { Node, Table } from '../graph/index.ts'
import { isNumeric, Strings, type Tensor, type TypedArray } from '../tensor/index.ts'
import type { Seen } from './record.ts'
import { alike, numbersOf, type Scalar, type Stage, scalarsOf, vectorOf } from './stage.ts'

// What vocabularies, hashes, buckets and embedding tables made of a value.

/** LookupTableFind: a key whose answer changes with the default is not in the table. */
export function lookup({ inputs: [held, keys, fallback], outputs: [found] }: Seen): Stage | null {
  const table = held.dtype === 'resource' ? (held.data[0] as Table) : undefined
  if (table === undefined || found === undefined || table.valueShape.length > 0) return null
  const ids = scalarsOf(found)
  const otherwise = scalarsOf(table.find(keys, another(fallback)))
  return {
    kind: 'lookup',
    table: table.name,
    size: table.size,
    entries: scalarsOf(keys).map((key, i) => ({ key, id: ids[i], found: alike(ids[i], otherwise[i]) })),
  }
}

/** A default that is not `fallback`. */
function another(fallback: Tensor): Tensor {
  if (fallback.dtype === 'string') return { ...fallback, data: Strings.from([`${fallback.data.text(0)}?`]) }
  if (!isNumeric(fallback)) return fallback
  const data = (fallback.data as TypedArray).slice()
  data[0] = typeof data[0] === 'bigint' ? data[0] ^ 1n : data[0] === 0 ? 1 : 0
  return { ...fallback, data } as Tensor
}

export function hash({ inputs: [keys], outputs: [found] }: Seen, { attrs }: Node): Stage {
  const buckets = numbersOf(found)
  const entries = scalarsOf(keys).map((key, i) => ({ key, bucket: buckets[i] }))
  return { kind: 'hash', buckets: attrs.number('num_buckets'), entries }
}

export const bucketize = ({ inputs: [x], outputs: [found] }: Seen, { attrs }: Node): Stage =>
  bucketsStage(scalarsOf(x), numbersOf(found), attrs.numbers('boundaries'))

export const bucketsStage = (
  values: readonly Scalar[],
  buckets: readonly number[],
  boundaries: readonly number[],
): Stage => ({
  kind: 'buckets',
  entries: values.map((value, i) => ({
    value,
    bucket: buckets[i],
    from: boundaries[buckets[i] - 1] ?? null,
    to: boundaries[buckets[i]] ?? null,
  })),
})

/** Rows of a table `float[rows, width]` for the ids that count; null where it is no embedding lookup. */
export function rows(table: Tensor, ids: Tensor, name: string, counts: (i: number) => boolean): Stage | null {
  if (table.dtype !== 'float32' || table.shape.length !== 2) return null
  const [, width] = table.shape
  const wanted = numbersOf(ids).filter((_, i) => counts(i))
  return {
    kind: 'rows',
    table: name,
    shape: table.shape,
    rows: wanted.map((id) => ({ id, ...vectorOf(table.data.subarray(id * width, (id + 1) * width)) })),
  }
}
