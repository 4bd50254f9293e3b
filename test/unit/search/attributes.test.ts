import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Attributes } from '../../../src/search/attributes.ts'
import type { Datapoint } from '../../../src/search/datapoint.ts'
import { type Item, items } from './datapoints.ts'

/** An item's attributes with tokens as sets, and what says nothing left out. */
function meaning({ restricts = [], numericRestricts = [], crowdingTag = '' }: Omit<Datapoint, 'id' | 'embedding'>) {
  const sorted = (tokens: readonly string[] = []) => [...tokens].sort()
  return {
    restricts: new Map(
      restricts
        .filter(({ allow = [], deny = [] }) => allow.length + deny.length > 0)
        .map(({ namespace, allow, deny }) => [namespace, [sorted(allow), sorted(deny)]]),
    ),
    numbers: new Map(
      numericRestricts.map(({ namespace, type, value }) => [
        namespace,
        [type, type === 'float' ? Math.fround(value) : value],
      ]),
    ),
    crowdingTag,
  }
}

describe('attributes', () => {
  test('give back what each item came with, also out of their arrays', () => {
    fc.assert(
      fc.property(items({ maxLength: 20 }), (list) => {
        const attributes = Attributes.of(list)
        for (const kept of [attributes, Attributes.from(attributes.arrays())])
          expect(list.map((_, row) => meaning(kept.of(row)))).toEqual(list.map(meaning))
      }),
    )
  })

  test('count what they hold', () => {
    const list: Item[] = [
      { id: '1', crowdingTag: 'noir', restricts: [{ namespace: 'genre', allow: ['crime', 'drama'], deny: ['war'] }] },
      { id: '2', crowdingTag: 'noir', restricts: [{ namespace: 'genre', allow: ['crime'] }] },
      { id: '3', crowdingTag: 'epic', numericRestricts: [{ namespace: 'year', type: 'int', value: 1962n }] },
      { id: '4', numericRestricts: [{ namespace: 'year', type: 'int', value: 1941n }] },
      { id: '5', crowdingTag: '', numericRestricts: [{ namespace: 'year', type: 'float', value: 0.5 }] },
    ]
    expect(Attributes.of(list).stats()).toEqual({
      items: 5,
      restricts: [{ namespace: 'genre', tokens: 3, allowing: 2, denying: 1 }],
      numericRestricts: [
        { namespace: 'year', type: 'int', items: 2, least: 1941n, greatest: 1962n },
        { namespace: 'year', type: 'float', items: 1, least: 0.5, greatest: 0.5 },
      ],
      crowding: { tags: 2, items: 3, largest: { tag: 'noir', items: 2 } },
    })
    expect(Attributes.of([]).stats()).toEqual({
      items: 0,
      restricts: [],
      numericRestricts: [],
      crowding: { tags: 0, items: 0, largest: null },
    })
  })

  test('name the item whose restricts are none', () => {
    const number = (value: bigint) => ({ namespace: 'year', type: 'int', value }) as const
    expect(() => Attributes.of([{ id: 'a' }, { id: 'b', restricts: [{ namespace: '' }] }])).toThrow(
      'item "b": a restrict must name its namespace, got ""',
    )
    expect(() => Attributes.of([{ id: 'a', numericRestricts: [number(1n), number(2n)] }])).toThrow(
      'item "a": the namespace "year" has two numbers; an item has one',
    )
    expect(() =>
      Attributes.of([{ id: 'a', numericRestricts: [{ namespace: 'p', type: 'double', value: Number.NaN }] }]),
    ).toThrow('item "a": the value in the namespace "p" is NaN')
  })

  test('refuse arrays that are not theirs', () => {
    const arrays = Attributes.of([{ id: 'a', crowdingTag: 'x' }]).arrays()
    expect(() => Attributes.from({ ...arrays, 'crowding.of': new Uint32Array(2) })).toThrow(
      'the attributes must have crowding.of, Uint32Array of 1; got Uint32Array of 2',
    )
    const { items: _, ...rest } = arrays
    expect(() => Attributes.from(rest)).toThrow('the attributes must have items, Uint32Array of 1; got none')
  })
})
