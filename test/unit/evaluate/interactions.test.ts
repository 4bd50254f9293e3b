import { describe, expect, test } from 'vitest'
import { type InteractionMembers, type Noticed, queriesOf } from '../../../src/evaluate/interactions.ts'
import { seenOf } from '../../../src/evaluate/seen.ts'
import type { Json } from '../../../src/json/parse.ts'

const MEMBERS: InteractionMembers = { item: 'items', grade: null, by: 'id' }

async function* rows(...all: readonly Json[]) {
  for (const [i, json] of all.entries())
    yield {
      at: `held:${i + 1}`,
      json: () => {
        if (json === 'broken') throw new SyntaxError('it is broken')
        return json
      },
    }
}

async function read(members: Partial<InteractionMembers>, ...all: readonly Json[]) {
  const noticed: Noticed = { rows: 0, bad: 0, repeated: 0, ungraded: 0, again: 0, empty: 0 }
  const told: string[] = []
  const queries = []
  for await (const query of queriesOf(rows(...all), { ...MEMBERS, ...members }, noticed, (bad) => told.push(bad)))
    queries.push({ ...query, relevant: Object.fromEntries(query.relevant) })
  return { queries, noticed, told }
}

describe('interactions', () => {
  test('are a query a row, with its items apart from its features', async () => {
    const { queries } = await read({}, { id: 'u', age: 30, items: ['a', 7] }, { age: 31, items: 'b' })
    expect(queries).toEqual([
      { at: 'held:1', by: 'u', row: { id: 'u', age: 30 }, relevant: { a: 1, '7': 1 } },
      { at: 'held:2', by: null, row: { age: 31 }, relevant: { b: 1 } },
    ])
  })

  test('that follow each other and differ in their items alone are one query', async () => {
    const { queries, noticed } = await read(
      {},
      { id: 'u', age: 30, items: 'a' },
      { id: 'u', age: 30, items: 'b' },
      { id: 'u', age: 30, items: 'a' },
      { id: 'v', age: 30, items: 'a' },
      { id: 'u', age: 31, items: 'c' },
    )
    expect(queries.map(({ by, relevant }) => [by, Object.keys(relevant)])).toEqual([
      ['u', ['a', 'b']],
      ['v', ['a']],
      ['u', ['c']],
    ])
    expect(noticed).toEqual({ rows: 5, bad: 0, repeated: 1, ungraded: 0, again: 1, empty: 0 })
  })

  test('may have grades; the highest holds, and 0 or less is not relevant', async () => {
    const { queries, noticed } = await read(
      { grade: 'stars', item: 'film', by: 'user' },
      { user: 1, film: ['a', 'b', 'a'], stars: [2, 0, 5] },
      { user: 2, film: '["a", "c"]', stars: '[1, 3]' },
      { user: 3, film: 'a', stars: -1 },
      { user: 4, film: [], stars: [] },
    )
    expect(queries.map(({ by, relevant }) => [by, relevant])).toEqual([
      ['1', { a: 5 }],
      ['2', { a: 1, c: 3 }],
    ])
    expect(noticed).toMatchObject({ repeated: 1, ungraded: 2, empty: 2 })
  })

  test('that cannot be used are told of, and the others are read', async () => {
    const { queries, told, noticed } = await read(
      { grade: 'g' },
      'broken',
      ['a'],
      { id: 'u' },
      { items: { a: 2n ** 60n }, g: 1 },
      { items: 'a' },
      { items: 'a', g: 'high' },
      { items: ['a', 'b'], g: [1] },
      { id: 'w', items: 'a', g: 1 },
    )
    expect(told).toEqual([
      'held:1: it is broken',
      'held:2: a row must be a JSON object of features and items',
      'held:3: the row has no "items": name the member that holds the relevant items with --item',
      'held:4: "items" must be an id or a list of ids, got {"a": 1152921504606846976}',
      'held:5: the row has no "g", which --grade names',
      'held:6: "g" must be a number or a list of numbers, got "high"',
      'held:7: the row has 2 items and 1 grades',
    ])
    expect(queries).toHaveLength(1)
    expect(noticed).toMatchObject({ rows: 1, bad: 7 })
  })

  test('of before say what each has seen, and whose they are', async () => {
    const seen = await seenOf(
      rows({ id: 1, items: ['a', 'b'] }, { id: 1, items: 'c' }, { id: 'u', items: 'a' }),
      MEMBERS,
    )
    expect([...seen].map(([by, ids]) => [by, [...ids]])).toEqual([
      ['1', ['a', 'b', 'c']],
      ['u', ['a']],
    ])
    await expect(seenOf(rows({ items: 'a' }), MEMBERS)).rejects.toThrow(
      'held:1: the row has no "id": it does not say who has seen the items',
    )
  })
})
