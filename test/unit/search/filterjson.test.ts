import { describe, expect, test } from 'vitest'
import { parseJson } from '../../../src/json/parse.ts'
import { attributesIn, filterOf, numericRestrictsOf, restrictsOf } from '../../../src/search/filterjson.ts'

describe('a filter in JSON', () => {
  const meant = {
    restricts: [
      { namespace: 'color', allow: ['red', 'blue'], deny: ['green'] },
      { namespace: 'shape', allow: ['circle'] },
    ],
    numericRestricts: [
      { namespace: 'price', type: 'int', value: 20n, op: 'LESS' },
      { namespace: 'length', type: 'float', value: 0.3, op: 'GREATER_EQUAL' },
      { namespace: 'width', type: 'double', value: 0.5, op: 'EQUAL' },
    ],
  }

  // The restricts of "Filter vector matches" and of the REST reference of IndexDatapoint.
  test.each([
    [
      'as in files',
      `{"restricts": [{"namespace": "color", "allow": ["red", "blue"], "deny": ["green"]}, {"namespace": "shape", "allow": ["circle"]}],
        "numeric_restricts": [{"namespace": "price", "value_int": 20, "op": "LESS"},
          {"namespace": "length", "value_float": 0.3, "op": "GREATER_EQUAL"},
          {"namespace": "width", "value_double": 0.5, "op": "EQUAL"}]}`,
    ],
    [
      'as in REST',
      `{"restricts": [{"namespace": "color", "allowList": ["red", "blue"], "denyList": ["green"]}, {"namespace": "shape", "allowList": ["circle"]}],
        "numericRestricts": [{"namespace": "price", "valueInt": "20", "op": "LESS"},
          {"namespace": "length", "valueFloat": 0.3, "op": "GREATER_EQUAL"},
          {"namespace": "width", "valueDouble": 0.5, "op": "EQUAL"}]}`,
    ],
    [
      "by protobuf's names",
      `{"restricts": [{"namespace": "color", "allow_list": ["red", "blue"], "deny_list": ["green"]}, {"namespace": "shape", "allow_list": ["circle"]}],
        "numeric_restricts": [{"namespace": "price", "value_int": "20", "op": "LESS"},
          {"namespace": "length", "value_float": 0.3, "op": "GREATER_EQUAL"},
          {"namespace": "width", "value_double": 0.5, "op": "EQUAL"}]}`,
    ],
  ])('is read %s', (_, text) => {
    expect(filterOf(parseJson(text))).toEqual(meant)
  })

  test('keeps every digit of an int, and takes ids that are numbers', () => {
    const [restrict] = numericRestrictsOf(parseJson('[{"namespace": "n", "value_int": 9007199254740993}]'))
    expect(restrict.value).toBe(9007199254740993n)
    expect(filterOf(parseJson('{"include": ["a", 7, 9007199254740993], "exclude": []}'))).toEqual({
      include: ['a', '7', '9007199254740993'],
      exclude: [],
    })
    expect(filterOf({})).toEqual({})
  })

  test.each([
    ['[]', 'a filter must be a JSON object, got a list'],
    ['{"restrict": []}', 'a filter has no member "restrict"; it has restricts, numeric_restricts'],
    ['{"restricts": {}}', '"restricts" must be a list, got an object'],
    ['{"restricts": ["red"]}', 'a restrict must be a JSON object, got a string'],
    ['{"restricts": [{"allow": ["red"]}]}', 'a restrict must name its namespace, got undefined'],
    ['{"restricts": [{"namespace": ""}]}', 'a restrict must name its namespace, got ""'],
    ['{"restricts": [{"namespace": "n", "allow": "red"}]}', '"allow" of the namespace "n" must be a list of strings'],
    [
      '{"restricts": [{"namespace": "n", "allow": [], "allowList": []}]}',
      '"allow" and "allowList" are one member; give one',
    ],
    ['{"restricts": [{"namespace": "n", "tokens": []}]}', 'a restrict has no member "tokens"'],
    [
      '{"numeric_restricts": [{"namespace": "n", "value_int": 1}]}',
      '"op" in the namespace "n" must be one of LESS, LESS_EQUAL, EQUAL, GREATER_EQUAL, GREATER, NOT_EQUAL; got undefined',
    ],
    ['{"numeric_restricts": [{"namespace": "n", "value_int": 1, "op": "IN"}]}', 'got "IN"'],
    [
      '{"numeric_restricts": [{"namespace": "n", "value_int": 1, "value_float": 1, "op": "LESS"}]}',
      'the numeric restrict in the namespace "n" must have one of value_int, value_float and value_double, got value_int and value_float',
    ],
    ['{"numeric_restricts": [{"namespace": "n", "op": "LESS"}]}', 'got none'],
    [
      '{"numeric_restricts": [{"namespace": "n", "value_int": 1.5, "op": "LESS"}]}',
      'the value in the namespace "n" must be a whole number, a bigint, being an int; got 1.5',
    ],
    [
      '{"numeric_restricts": [{"namespace": "n", "value_double": NaN, "op": "LESS"}]}',
      'the value in the namespace "n" is NaN',
    ],
    [
      '{"numeric_restricts": [{"namespace": "n", "value_double": "1", "op": "LESS"}]}',
      'the value in the namespace "n" must be a number, being a double; got string',
    ],
    ['{"exclude": [null]}', '"exclude" must be a list of ids, got null in it'],
  ])('%s is refused', (text, message) => {
    expect(() => filterOf(parseJson(text))).toThrow(message)
  })

  test('of an item has no op', () => {
    expect(restrictsOf([{ namespace: 'n', allow: null }])).toEqual([{ namespace: 'n', allow: [] }])
    expect(() => numericRestrictsOf([{ namespace: 'n', value_int: 1, op: 'LESS' }])).toThrow(
      'a numeric restrict has no member "op"',
    )
  })

  test('among the members of an item is read with its crowding tag', () => {
    const item = { id: 'a', restricts: [{ namespace: 'n', allow: ['x'] }], numeric_restricts: [], crowding_tag: 'c' }
    const meant = { restricts: item.restricts, numericRestricts: [], crowdingTag: 'c' }
    expect(attributesIn(item)).toEqual(meant)
    const { crowding_tag: _, ...rest } = item
    expect(attributesIn({ ...rest, crowdingTag: { crowdingAttribute: 'c' } })).toEqual(meant)
    expect(attributesIn({ id: 'a' })).toEqual({})
    expect(() => attributesIn({ crowding_tag: 7 })).toThrow('a crowding tag that is no text must be a JSON object')
    expect(() => attributesIn({ crowding_tag: {} })).toThrow('a crowding tag must be text')
    expect(() => attributesIn({ crowding_tag: { crowding_attribute: 'c', weight: 1 } })).toThrow(
      'a crowding tag has no member "weight"',
    )
  })
})
