import fc from 'fast-check'
import type { Comparison, Datapoint, Filter, NumericRestrict } from '../../../src/search/datapoint.ts'

export type Item = Omit<Datapoint, 'embedding'>

const NAMESPACES = ['color', 'shape', 'größe']
const TOKENS = ['red', 'blue', 'green', 'Ω', '']
const OPS: readonly Comparison[] = ['LESS', 'LESS_EQUAL', 'EQUAL', 'GREATER_EQUAL', 'GREATER', 'NOT_EQUAL']

const tokens = fc.uniqueArray(fc.constantFrom(...TOKENS), { maxLength: 3 })
const restricts = fc.uniqueArray(
  fc.record(
    { namespace: fc.constantFrom(...NAMESPACES), allow: tokens, deny: tokens },
    { requiredKeys: ['namespace'] },
  ),
  { selector: ({ namespace }) => namespace, maxLength: 3 },
)

const MOST = 2n ** 63n
const namespace = fc.constantFrom('price', 'year')
const number: fc.Arbitrary<NumericRestrict> = fc.oneof(
  fc.record({
    namespace,
    type: fc.constant('int' as const),
    value: fc.constantFrom(-MOST, -1n, 0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, MOST - 1n),
  }),
  fc.record({
    namespace,
    type: fc.constantFrom('float' as const, 'double' as const),
    value: fc.constantFrom(-1.5, -0, 0, 0.1, Math.fround(0.1), 1, Infinity),
  }),
)

/** The attributes of one item, few values so that they meet. */
export const item: fc.Arbitrary<Omit<Item, 'id'>> = fc.record(
  {
    restricts,
    numericRestricts: fc.uniqueArray(number, { selector: (n) => n.namespace, maxLength: 2 }),
    crowdingTag: fc.constantFrom('', 'a', 'b', 'c'),
  },
  { requiredKeys: [] },
)

export const items = (sizes: fc.ArrayConstraints): fc.Arbitrary<Item[]> =>
  fc.array(item, sizes).map((list) => list.map((own, i) => ({ ...own, id: `item ${i}` })))

/** A filter of any selectivity over such items; ids `item 0` up to `item 39`. */
export const filter: fc.Arbitrary<Filter> = fc.record(
  {
    restricts,
    numericRestricts: fc.array(
      fc.tuple(number, fc.constantFrom(...OPS)).map(([condition, op]) => ({ ...condition, op })),
      { maxLength: 2 },
    ),
    include: fc.array(
      fc.nat(45).map((i) => `item ${i}`),
      { maxLength: 30 },
    ),
    exclude: fc.array(
      fc.nat(45).map((i) => `item ${i}`),
      { maxLength: 30 },
    ),
  },
  { requiredKeys: [] },
)

/** The definition, condition by condition: whether a query with `filter` may find `item`. */
export function admits({ id, restricts = [], numericRestricts = [] }: Item, filter: Filter): boolean {
  if (filter.include !== undefined && ![...filter.include].includes(id)) return false
  if ([...(filter.exclude ?? [])].includes(id)) return false
  for (const asked of filter.restricts ?? []) {
    const own = restricts.find((restrict) => restrict.namespace === asked.namespace)
    const [allow, deny] = [own?.allow ?? [], own?.deny ?? []]
    const [wanted, unwanted] = [asked.allow ?? [], asked.deny ?? []]
    if (wanted.length > 0 && !wanted.some((token) => allow.includes(token))) return false
    if (unwanted.some((token) => allow.includes(token)) || wanted.some((token) => deny.includes(token))) return false
  }
  for (const asked of filter.numericRestricts ?? []) {
    const own = numericRestricts.find((n) => n.namespace === asked.namespace && n.type === asked.type)
    if (own === undefined) return false
    const rounded = (value: number | bigint) => (asked.type === 'float' ? Math.fround(value as number) : value)
    const [a, b] = [rounded(own.value), rounded(asked.value)]
    const holds = { LESS: a < b, LESS_EQUAL: a <= b, EQUAL: a === b, GREATER_EQUAL: a >= b, GREATER: a > b }
    if (!(asked.op === 'NOT_EQUAL' ? a !== b : holds[asked.op])) return false
  }
  return true
}
