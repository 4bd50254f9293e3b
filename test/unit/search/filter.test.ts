import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Attributes } from '../../../src/search/attributes.ts'
import type { Filter, NumericCondition } from '../../../src/search/datapoint.ts'
import { select } from '../../../src/search/filter.ts'
import { admits, filter, type Item, items } from './datapoints.ts'

/** The ids that `filter` lets through. */
function through(list: readonly Item[], filter: Filter, attributes: Attributes | null = Attributes.of(list)): string[] {
  const rowsOf = (id: string) => [...list.keys()].filter((row) => list[row].id === id)
  const set = select(filter, { rows: list.length, attributes, rowsOf })
  return list.filter((_, row) => set === null || set.has(row)).map(({ id }) => id)
}

/** One namespace as Vector Search's page writes it: `red !blue` allows red and denies blue. */
function colors(written: string) {
  const words = written.split(' ').filter((word) => word !== '')
  const allow = words.filter((word) => !word.startsWith('!'))
  const deny = words.filter((word) => word.startsWith('!')).map((word) => word.slice(1))
  return { restricts: [{ namespace: 'color', allow, deny }] }
}

describe('a filter', () => {
  test('lets through what a plain loop over its conditions does', () => {
    fc.assert(
      fc.property(items({ maxLength: 40 }), filter, (list, asked) => {
        const expected = list.filter((item) => admits(item, asked)).map(({ id }) => id)
        expect(through(list, asked)).toEqual(expected)
        expect(through(list, asked, Attributes.from(Attributes.of(list).arrays()))).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  test('more tokens than a call may have arguments', () => {
    const many = Array.from({ length: 200_000 }, (_, i) => `token ${i}`)
    const restricts = (allow: readonly string[], deny: readonly string[]) => [{ namespace: 'color', allow, deny }]
    const list = [{ id: 'a', restricts: restricts(['token 7'], []) }]
    expect(through(list, { restricts: restricts(many, []) })).toEqual(['a'])
    expect(through(list, { restricts: restricts([], many) })).toEqual([])
  })

  // The points of "Filter vector matches" in Vector Search's documentation, and what its sentences say of them.
  const points: Item[] = Object.entries({
    A: '',
    B: 'red',
    C: 'blue',
    D: 'orange',
    E: 'red blue',
    F: 'red !blue',
    G: 'red blue !blue',
    H: '!blue',
  }).map(([id, written]) => ({ id, ...colors(written) }))

  test.each([
    ['', 'A B C D E F G H'],
    ['red', 'B E F G'],
    ['blue', 'C E'],
    ['red blue', 'B C E'],
    ['!blue', 'A B D F H'],
    ['red !blue', 'B F'],
    ['red !red', ''],
    ['orange purple', 'D'],
    ['purple', ''],
    ['!purple', 'A B C D E F G H'],
  ])('{%s} finds of the points of the documentation %s', (written, found) => {
    expect(through(points, colors(written)).join(' ')).toBe(found)
  })

  test('takes namespaces together and tokens as alternatives, also of a namespace named twice', () => {
    const list: Item[] = [
      { id: 'red circle', ...colors('red') },
      { id: 'blue circle', ...colors('blue') },
    ]
    const [red, blue] = ['red', 'blue'].map((written) => colors(written).restricts[0])
    expect(through(list, { restricts: [red, blue] })).toEqual(['red circle', 'blue circle'])
    expect(through(list, { restricts: [red, { namespace: 'shape', allow: ['circle'] }] })).toEqual([])
  })

  test('compares int64 to the last digit, floats as float32, and never across types', () => {
    const big = 2n ** 53n + 1n
    const list: Item[] = [
      { id: 'int', numericRestricts: [{ namespace: 'n', type: 'int', value: big }] },
      { id: 'float', numericRestricts: [{ namespace: 'n', type: 'float', value: 0.1 }] },
      { id: 'double', numericRestricts: [{ namespace: 'n', type: 'double', value: 0.1 }] },
      { id: 'none' },
    ]
    const by = (condition: Omit<NumericCondition, 'namespace'>) =>
      through(list, { numericRestricts: [{ namespace: 'n', ...condition } as NumericCondition] })
    expect(by({ type: 'int', op: 'EQUAL', value: big })).toEqual(['int'])
    expect(by({ type: 'int', op: 'GREATER', value: big - 1n })).toEqual(['int'])
    expect(by({ type: 'int', op: 'EQUAL', value: big - 1n })).toEqual([])
    expect(by({ type: 'float', op: 'EQUAL', value: Math.fround(0.1) })).toEqual(['float'])
    expect(by({ type: 'double', op: 'EQUAL', value: Math.fround(0.1) })).toEqual([])
    expect(by({ type: 'double', op: 'LESS', value: Math.fround(0.1) })).toEqual(['double'])
    // An item without a number there does not differ from it.
    expect(by({ type: 'int', op: 'NOT_EQUAL', value: 0n })).toEqual(['int'])
  })

  test('meets a namespace, a token or an id that no item has with no match, not with an error', () => {
    const list: Item[] = [{ id: 'a', ...colors('red') }]
    expect(through(list, { restricts: [{ namespace: 'weight', allow: ['red'] }] })).toEqual([])
    expect(through(list, { restricts: [{ namespace: 'weight', deny: ['red'] }] })).toEqual(['a'])
    expect(through(list, { include: ['z'] })).toEqual([])
    expect(through(list, { include: [] })).toEqual([])
    expect(through(list, { exclude: ['z'] })).toEqual(['a'])
    expect(through([], { restricts: [{ namespace: 'color', allow: ['red'] }] })).toEqual([])
  })

  test('over items without attributes finds them where nothing is asked of attributes', () => {
    const list: Item[] = [{ id: 'a' }, { id: 'b' }]
    expect(through(list, { exclude: ['b'] }, null)).toEqual(['a'])
    expect(through(list, colors('!red'), null)).toEqual(['a', 'b'])
    expect(through(list, colors('red'), null)).toEqual([])
    const number = { namespace: 'n', type: 'int', op: 'NOT_EQUAL', value: 1n } as const
    expect(through(list, { numericRestricts: [number] }, null)).toEqual([])
  })

  test.each(
    (
      [
        [{ restricts: [{ namespace: '' }] }, 'a restrict must name its namespace, got ""'],
        [{ restricts: [{ allow: ['red'] }] }, 'a restrict must name its namespace, got undefined'],
        [{ restricts: [{ namespace: 'n', allow: 'red' }] }, '"allow" of the namespace "n" must be a list of strings'],
        [{ restricts: 'red' }, 'restricts must be a list, got string'],
        [
          { numericRestricts: [{ namespace: '', type: 'int', op: 'LESS', value: 1n }] },
          'a numeric restrict must name its namespace, got ""',
        ],
        [
          { numericRestricts: [{ namespace: 'n', type: 'double', op: 'LESS', value: Number.NaN }] },
          'the value in the namespace "n" is NaN, which compares with nothing',
        ],
        [
          { numericRestricts: [{ namespace: 'n', type: 'int', op: 'LESS', value: 1 }] },
          'the value in the namespace "n" must be a whole number, a bigint, being an int; got 1',
        ],
        [
          { numericRestricts: [{ namespace: 'n', type: 'int', op: 'LESS', value: 2n ** 63n }] },
          'the value in the namespace "n" must be a 64-bit integer, got 9223372036854775808',
        ],
        [
          { numericRestricts: [{ namespace: 'n', type: 'float', op: 'LESS', value: 1e39 }] },
          'the value in the namespace "n" must be within float32, got 1e+39',
        ],
        [
          { numericRestricts: [{ namespace: 'n', type: 'half', op: 'LESS', value: 1 }] },
          'the value in the namespace "n" must be of the type int, float or double, got "half"',
        ],
        [
          { numericRestricts: [{ namespace: 'n', type: 'double', op: '<', value: 1 }] },
          '"op" in the namespace "n" must be one of LESS, LESS_EQUAL, EQUAL, GREATER_EQUAL, GREATER, NOT_EQUAL; got "<"',
        ],
        [{ exclude: 'item' }, 'exclude must be a list of ids, got one string'],
      ] as [object, string][]
    ).map(([asked, message]) => [message, asked] as const),
  )('is refused: %s', (message, asked) => {
    expect(() => through([], asked as Filter)).toThrow(message)
  })
})
